import { seededRandom } from '@almanac/shared'

/** Draws from one seeded stream. */
export type Chance = {
  /** A whole number from 0 to below `end`. */
  readonly below: (end: number) => number
  /** True with this probability. */
  readonly flip: (probability: number) => boolean
  readonly pick: <T>(items: readonly T[]) => T
}

/** The stream of the request with this number under this seed. */
export function chanceOf(seed: number, number = 0): Chance {
  const random = seededRandom(
    (Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0,
  )
  const below = (end: number) => Math.floor(random() * end)
  return {
    below,
    flip: (probability) => random() < probability,
    pick: (items) => {
      if (items.length === 0) throw new Error('there is nothing to pick from')
      return items[below(items.length)]!
    },
  }
}
