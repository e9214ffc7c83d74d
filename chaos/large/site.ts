export type Size = {
  readonly models: number
  readonly jobs: number
  readonly modelMegabytes: number
}

type Part = { readonly name: string; readonly pid: number; readonly metricsUrl: string }

/** A cluster that was filled before it was started, and what can be asked about it from outside. */
export type Site = {
  readonly name: string
  readonly url: string
  /** Nodes that serve. */
  readonly serving: number
  /** Our processes, as they run now. */
  readonly parts: () => readonly Part[]
  /** Resolves when the broker is ready. */
  readonly start: () => Promise<void>
  /** Kills and starts what is ours: on one machine everything, in a cluster brokers and nodes. */
  readonly restart: () => Promise<void>
  /** How many keys begin so in the coordinator. */
  readonly keys: (prefix: string) => Promise<number>
  readonly close: () => Promise<void>
}
