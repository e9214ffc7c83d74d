/**
 * What a node and its fitting thread say to each other. Stopping and progress go through shared
 * memory: a thread that computes reads no messages.
 */
import type {
  Bounds,
  CutShard,
  LiveScore,
  LiveSum,
  Report,
  ShardSizes,
  Trial,
} from '@almanac/engine'

export type FitRequest = {
  readonly id: number
  /** The stored data set, as it was read. */
  readonly dataset: Uint8Array
  /**
   * A stored model, or a shard of them where the data is one: the data goes on where it ends. Null:
   * the data is all there is.
   */
  readonly base: Uint8Array | null
  /**
   * Where the data is a shard of many series: the places in it of those that are not to be worked
   * on as asked, and why. Null where it is one series.
   */
  readonly passedOver: ReadonlyMap<number, string> | null
  /** How the spec is to be judged by the data, where that is asked for and not a model. */
  readonly backtest?: TrialWork
  /** With what the data is to be joined, where that is asked for and not a model. */
  readonly join?: JoinWork
  readonly spec: unknown
  /** Of the forecasts of what is fitted; absent: none. */
  readonly bounds?: Bounds | undefined
  readonly seed: number
  readonly workMax: number
  readonly control: SharedArrayBuffer
}

export type TrialWork = {
  readonly trial: Trial
  /** Whether the data sets are of one series, or shards of many. */
  readonly kind: 'one' | 'many'
  /** What was added to the data set later, oldest first. */
  readonly later: readonly Uint8Array[]
  /** Which of so many equal parts of the series is meant. */
  readonly part: { readonly at: number; readonly of: number }
}

/** A shard of data becomes one with what came later, and is cut anew. */
export type JoinWork = {
  /** What was added to the data later, oldest first. */
  readonly later: readonly Uint8Array[]
  /** What was left of the series before these, as a shard of data. */
  readonly rest: Uint8Array | null
  readonly sizes: ShardSizes
}

export type Calendar = {
  readonly start: string
  readonly frequency: string
  /** UTC when absent. */
  readonly timezone?: string
  readonly steps: number
}

export type FitReply =
  | {
      readonly kind: 'fitted'
      readonly id: number
      readonly model: Uint8Array
      readonly report: Report
      /** Null where the data has no start or no frequency, or goes on from a base. */
      readonly calendar: Calendar | null
      /** What errors on it are divided by; null where it goes on from a base, or has no changes. */
      readonly scale?: number | null
      /** How well the base had foreseen the data. */
      readonly score?: LiveScore | null
    }
  | {
      readonly kind: 'fitted-shard'
      readonly id: number
      /** Models, or the results of a backtest. */
      readonly shard: Uint8Array
      /** How many series have which result code. */
      readonly codes: Readonly<Record<string, number>>
      /** Of an update: how well its base had foreseen the data. */
      readonly live?: LiveSum
    }
  | {
      readonly kind: 'joined'
      readonly id: number
      readonly full: readonly CutShard[]
      /** What is left for those that follow. */
      readonly rest: CutShard | null
    }
  | {
      readonly kind: 'refused'
      readonly id: number
      readonly code: string
      readonly detail: string
    }
  | { readonly kind: 'stopped'; readonly id: number }
  | { readonly kind: 'crashed'; readonly id: number; readonly detail: string }

/** How far a fit is. */
export type FitUnderWay = {
  /** From 0 to 1. */
  readonly progress: () => number
  /** Of the series that is being worked on, in its shard of data; -1 before the first. */
  readonly place: () => number
}

/** Three numbers in shared memory: whether to stop, progress in thousandths, and the place. */
export class FitControl implements FitUnderWay {
  readonly memory: SharedArrayBuffer
  readonly #cells: Int32Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(12)) {
    this.memory = memory
    this.#cells = new Int32Array(memory)
  }

  stop(): void {
    Atomics.store(this.#cells, 0, 1)
  }

  shouldStop(): boolean {
    return Atomics.load(this.#cells, 0) !== 0
  }

  setProgress(fraction: number): void {
    Atomics.store(this.#cells, 1, Math.round(Math.min(1, Math.max(0, fraction)) * 1_000))
  }

  progress(): number {
    return Atomics.load(this.#cells, 1) / 1_000
  }

  setPlace(place: number): void {
    Atomics.store(this.#cells, 2, place + 1)
  }

  place(): number {
    return Atomics.load(this.#cells, 2) - 1
  }
}
