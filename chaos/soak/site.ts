type Counts = Readonly<Record<string, number>>

/** What a soak runs on, and how it looks from outside. */
export type SoakSite = {
  readonly url: string
  /** Our processes, as they run now. */
  readonly parts: () => readonly {
    readonly name: string
    readonly pid: number
    readonly vitalsPort: number
  }[]
  /** Keys in the coordinator, by kind. */
  readonly keys: () => Promise<Counts>
  /** Rows of the store, by table or collection. */
  readonly rows: () => Promise<Counts>
  /** Megabytes of its files, where they are ours. */
  readonly fileMb: () => Promise<Counts>
  readonly close: () => Promise<void>
}

/**
 * Ages and caches with which a soak of minutes reaches the steady state that the defaults reach in
 * days. What is kept by number is kept as always.
 */
export const soakBounds = {
  garbageAgeMs: 60_000,
  garbageEveryMs: 30_000,
  finishedJobMs: 120_000,
  responseCacheBytes: 1_048_576,
} as const
export const soakAnswerCacheBytes = 524_288
