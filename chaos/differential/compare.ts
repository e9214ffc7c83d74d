import { isDeepStrictEqual } from 'node:util'
import { type Side, startPlay } from './play.ts'
import type { History, Step } from './steps.ts'

/** The first thing in which two sides differ. */
export type Difference = {
  /** Undefined: in what watches were told or what was left, at the end. */
  readonly step: Step | undefined
  readonly results: readonly { readonly side: string; readonly result: unknown }[]
}

/**
 * Plays a history on two sides, step by step, and compares every result, and every event of every
 * watch. Undefined: they are the same, and left empty. After a difference the sides are of no use.
 */
export async function compareSides(
  sides: readonly [Side, Side],
  history: History,
  signal: AbortSignal,
  onResult: (result: unknown) => void = () => {},
): Promise<Difference | undefined> {
  const plays = await Promise.all(sides.map((side) => startPlay(side, signal)))
  const differing = (step: Step | undefined, results: readonly unknown[]) =>
    isDeepStrictEqual(results[0], results[1])
      ? undefined
      : { step, results: results.map((result, i) => ({ side: sides[i]!.name, result })) }
  for (const step of history) {
    signal.throwIfAborted()
    const results = await Promise.all(plays.map((play) => play.perform(step)))
    const difference = differing(step, results)
    if (difference) return difference
    onResult(results[0])
  }
  return differing(undefined, await Promise.all(plays.map((play) => play.finish())))
}

/** For a person: the history, then what each side made of it. */
export function describeDifference(history: History, { step, results }: Difference): string {
  const lines = [
    ...history.map((each) => JSON.stringify(each)),
    step ? `differ at step ${step.id}:` : 'differ at the end:',
    ...results.map(({ side, result }) => `${side}: ${JSON.stringify(result)}`),
  ]
  return lines.join('\n')
}
