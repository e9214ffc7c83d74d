import { type Random, seededRandom } from '@almanac/shared'
import type { Fault, Shape } from './fault.ts'
import { shareWays } from './link-faults.ts'

export type Planned = {
  readonly atMs: number
  readonly fault: string
  readonly target: string
  readonly durationMs: number
  /** Of what the fault itself draws. */
  readonly seed: number
}

export type ScheduleOptions = {
  readonly seed: number
  /** The last fault has ended and been healed by then, as far as can be planned. */
  readonly totalMs: number
  readonly shape: Shape
  readonly faults: readonly Fault[]
  /** Faults under way at once. */
  readonly atOnceMax: number
}

/** Between the beginnings of two faults, on average. */
const pauseMs = 3_000
/** How often another fault is drawn when one does not fit in beside what is under way. */
const triesMax = 20

/** How often one is drawn from those alone that have not come yet: so that rare ones come, too. */
const newShare = 0.67

/** What is broken when. Depends on its options alone: the same seed plans the same faults. */
export function planFaults(options: ScheduleOptions): Planned[] {
  const { seed, totalMs, shape, faults, atOnceMax } = options
  const random = seededRandom(seed)
  const unseen = new Set(faults)
  const planned: (Planned & { readonly untilMs: number })[] = []
  for (let atMs = 500; atMs < totalMs; atMs += random() * 2 * pauseMs) {
    const underWay = planned.filter(({ untilMs }) => untilMs > atMs)
    if (underWay.length >= atOnceMax) continue
    for (let tried = 0; tried < triesMax; tried++) {
      const isNew = random() < newShare && unseen.size > 0
      const next = draw(random, isNew ? [...unseen] : faults, shape, atMs)
      // What must be alone waits for its turn: drawn again it would hardly ever come.
      const isAlone = faultOf(faults, next.fault).holds(next.target).includes('everything')
      const waitMs = isAlone ? Math.max(atMs, ...underWay.map(({ untilMs }) => untilMs)) - atMs : 0
      const delayed = { ...next, atMs: next.atMs + waitMs, untilMs: next.untilMs + waitMs }
      if (delayed.untilMs > totalMs) continue
      if (!isAlone && underWay.some((other) => inEachOthersWay(faults, other, next))) continue
      planned.push(delayed)
      unseen.delete(faultOf(faults, next.fault))
      atMs += waitMs
      break
    }
  }
  return planned.map(({ untilMs: _untilMs, ...rest }) => rest)
}

export function toldPlan({ atMs, fault, target, durationMs }: Planned): string {
  const seconds = (ms: number) => (ms / 1_000).toFixed(1)
  return `at ${seconds(atMs)} s, for ${seconds(durationMs)} s: ${fault} ${target}`
}

/** Whether one of them must be over before the other begins. */
export function inEachOthersWay(faults: readonly Fault[], one: Planned, other: Planned): boolean {
  const [some, others] = [one, other].map(({ fault, target }) =>
    faultOf(faults, fault).holds(target),
  ) as [readonly string[], readonly string[]]
  if ([...some, ...others].includes('everything')) return true
  return some.some((a) => others.some((b) => a === b || shareWays(a, b)))
}

export function faultOf(faults: readonly Fault[], name: string): Fault {
  const found = faults.find((fault) => fault.name === name)
  if (found === undefined) throw new Error(`there is no fault ${name}`)
  return found
}

function draw(random: Random, faults: readonly Fault[], shape: Shape, atMs: number) {
  const fault = weighted(random, faults)
  const targets = fault.targets(shape)
  const target = targets[Math.floor(random() * targets.length)]!
  const [least, most] = fault.durationMs
  const durationMs = Math.round(least + random() * (most - least))
  const seed = Math.floor(random() * 2 ** 31)
  const untilMs = atMs + durationMs + fault.healingMs
  return { atMs: Math.round(atMs), fault: fault.name, target, durationMs, seed, untilMs }
}

function weighted(random: Random, faults: readonly Fault[]): Fault {
  const all = faults.reduce((sum, { weight }) => sum + weight, 0)
  let left = random() * all
  for (const fault of faults) {
    left -= fault.weight
    if (left < 0) return fault
  }
  return faults.at(-1)!
}
