import type { Random } from '@almanac/shared'

/** What a schedule draws from. */
export class Chance {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  is(share: number): boolean {
    return this.#random() < share
  }

  between(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1))
  }

  one<T>(of: readonly T[]): T {
    return of[Math.floor(this.#random() * of.length)]!
  }
}
