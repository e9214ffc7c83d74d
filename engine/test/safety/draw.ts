import { uniformAt } from '../../src/numeric/random.ts'

/** Choices that a seed settles. */
export type Draw = {
  /** A whole number from 0 up to, but not, `count`. */
  below(count: number): number
  pick<T>(from: readonly T[]): T
}

export function makeDraw(seed: number): Draw {
  let step = 0
  const below = (count: number) => Math.floor(uniformAt(seed, 77, step++) * count)
  return { below, pick: (from) => from[below(from.length)]! }
}
