import type { Fault, Plan, Request } from './plan.ts'

/** What is left of a plan: the numbers of its requests and faults, and where it ends. */
export type Kept = {
  readonly requests: readonly number[]
  readonly faults: readonly number[]
  readonly untilMs: number
}

const allOf = ({ requests, faults, safetyMs }: Plan): Kept => ({
  requests: requests.map((_, i) => i),
  faults: faults.map((_, i) => i),
  untilMs: safetyMs,
})

export const reduced = (plan: Plan, { requests, faults, untilMs }: Kept): Plan => ({
  ...plan,
  requests: requests.map((i) => plan.requests[i]!),
  faults: faults.map((i) => plan.faults[i]!),
  safetyMs: untilMs,
})

/**
 * A smaller plan that still fails: parts are left out, large ones first, then the end comes
 * earlier, as long as `fails` says so. Asks at most so often.
 */
export function shrink(plan: Plan, fails: (smaller: Plan) => boolean, triesMax = 400): Kept {
  let kept = allOf(plan)
  let tries = 0
  const attempt = (next: Kept): boolean => {
    if (tries >= triesMax) return false
    tries += 1
    if (!fails(reduced(plan, next))) return false
    kept = next
    return true
  }
  const leaveOut = (of: 'requests' | 'faults') => {
    for (let size = kept[of].length; size >= 1; size = Math.floor(size / 2))
      for (let from = kept[of].length - size; from >= 0; from -= size) {
        const rest = kept[of].filter((_, i) => i < from || i >= from + size)
        attempt({ ...kept, [of]: rest })
      }
  }
  for (let before = Number.POSITIVE_INFINITY; sizeOf(kept) < before; ) {
    before = sizeOf(kept)
    leaveOut('faults')
    leaveOut('requests')
  }
  for (const laterMs of [200, 1_000, 3_000])
    if (attempt({ ...kept, untilMs: lastOf(reduced(plan, kept)) + laterMs })) break
  return kept
}

const sizeOf = ({ requests, faults }: Kept) => requests.length + faults.length

const lastOf = ({ requests, faults }: Plan) =>
  Math.max(0, ...[...requests, ...faults].map((one: Request | Fault) => one.atMs))

/** As a command line has it, and back. */
export const keptText = ({ requests, faults, untilMs }: Kept): string =>
  `${requests.join(',')}/${faults.join(',')}/${untilMs}`

export function keptOf(text: string): Kept | undefined {
  const match = /^([\d,]*)\/([\d,]*)\/(\d+)$/.exec(text)
  if (!match) return undefined
  const numbers = (list = '') => list.split(',').filter(Boolean).map(Number)
  return {
    requests: numbers(match[1]),
    faults: numbers(match[2]),
    untilMs: Number(match[3]),
  }
}
