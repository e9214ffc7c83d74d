import type { History } from './steps.ts'

/**
 * The shortest history that can be found, within so many tries, in which `fails` still holds: drops
 * runs of steps, then single comparisons and operations.
 */
export async function shrink(
  history: History,
  fails: (shorter: History) => Promise<boolean>,
  triesMax: number,
): Promise<History> {
  let left = triesMax
  const still = async (shorter: History) => left-- > 0 && (await fails(shorter))
  let best = history
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let at = best.length - size; at > -size; at -= size) {
      const from = Math.max(0, at)
      const shorter = [...best.slice(0, from), ...best.slice(at + size)]
      if (await still(shorter)) best = shorter
    }
  }
  for (let i = 0; i < best.length; i++) best = await shrinkStep(best, i, still)
  return best
}

async function shrinkStep(
  history: History,
  index: number,
  still: (shorter: History) => Promise<boolean>,
): Promise<History> {
  let best = history
  for (const part of ['when', 'then'] as const) {
    for (let at = 0; ; ) {
      const step = best[index]!
      if (step.act.kind !== 'transact' || at >= step.act[part].length) break
      const act = { ...step.act, [part]: step.act[part].toSpliced(at, 1) }
      const shorter = best.with(index, { ...step, act })
      if (await still(shorter)) best = shorter
      else at += 1
    }
  }
  return best
}
