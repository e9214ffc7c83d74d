import type { Random } from '@almanac/shared'
import { randomOf } from './clock.ts'
import type { World } from './world.ts'

/** What is wrong with a way from one place to another; each direction is a way of its own. */
type Way = {
  cuts: number
  slowMs: number
  lossShare: number
  /** When something was last wrong with it. */
  badMs: number
  /** Of its own, so that what happens elsewhere changes nothing here. */
  readonly random: Random
}

/**
 * Who reaches whom, and how long it takes. Places are names: a restarted process is at the same
 * place. Cuts add up, so that overlapping faults end one by one.
 */
export class Network {
  readonly #world: World
  readonly #seed: number
  readonly #ways = new Map<string, Map<string, Way>>()
  readonly #onHealed = new Set<() => void>()

  constructor(world: World, seed: number) {
    this.#world = world
    this.#seed = seed
  }

  isCut(from: string, to: string): boolean {
    return (this.#known(from, to)?.cuts ?? 0) > 0
  }

  /** Whether this message is the one in so many that gets lost with its connection. */
  loses(from: string, to: string): boolean {
    const { lossShare, random } = this.#way(from, to)
    return lossShare > 0 && random() < lossShare
  }

  delayMs(from: string, to: string): number {
    const { slowMs, random } = this.#way(from, to)
    return 0.1 + random() * (1 + 2 * slowMs)
  }

  /** Whether nothing has been wrong between two places since then. */
  wasGood(one: string, other: string, sinceMs: number): boolean {
    const good = (from: string, to: string) => {
      const way = this.#known(from, to)
      if (way === undefined) return true
      return way.cuts === 0 && way.slowMs <= 0 && way.lossShare <= 0 && way.badMs < sinceMs
    }
    return good(one, other) && good(other, one)
  }

  /** Each of these takes back what the call did. */
  cut(from: string, to: string): () => void {
    const way = this.#way(from, to)
    way.cuts += 1
    return () => {
      way.cuts -= 1
      way.badMs = this.#world.nowMs
      if (way.cuts === 0) for (const healed of [...this.#onHealed]) healed()
    }
  }

  slow(from: string, to: string, ms: number): () => void {
    const way = this.#way(from, to)
    way.slowMs += ms
    return () => {
      way.slowMs -= ms
      way.badMs = this.#world.nowMs
    }
  }

  lose(from: string, to: string, share: number): () => void {
    const way = this.#way(from, to)
    way.lossShare += share
    return () => {
      way.lossShare = Math.round((way.lossShare - share) * 1_000) / 1_000
      way.badMs = this.#world.nowMs
    }
  }

  /** Told whenever some way is open again; returns how to end that. */
  onHealed(listener: () => void): () => void {
    this.#onHealed.add(listener)
    return () => this.#onHealed.delete(listener)
  }

  #known(from: string, to: string): Way | undefined {
    return this.#ways.get(from)?.get(to)
  }

  #way(from: string, to: string): Way {
    const known = this.#known(from, to)
    if (known) return known
    const random = randomOf(this.#seed, { name: `${from}>${to}`, incarnation: 0 })
    const way = { cuts: 0, slowMs: 0, lossShare: 0, badMs: -1, random }
    const ways = this.#ways.get(from) ?? new Map<string, Way>()
    this.#ways.set(from, ways.set(to, way))
    return way
  }
}
