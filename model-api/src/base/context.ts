import type { Clock, Coordinator, Logger, Random, Store } from '@almanac/shared'
import type { NodeTiming } from '../config/timing.ts'
import type { Gate } from './gate.ts'
import type { NodeMetrics } from './metrics.ts'

/** Rejects with `Missing` or `Unavailable`. */
export type FileReader = {
  readonly read: (
    name: string,
    signal: AbortSignal,
  ) => Promise<{ readonly content: AsyncIterable<Uint8Array> }>
}

/** What every part of a node works with. */
export type NodeContext = {
  readonly coordinator: Coordinator
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: NodeMetrics
  readonly timing: NodeTiming
  /** A blob id that was never used. */
  readonly mintId: () => string
  /** Through here large versions are loaded one after the other, whoever wants them. */
  readonly largeLoads: Gate
  /** What users have brought; undefined where no place for files was set. */
  readonly files: FileReader | undefined
  /** What the process that reads a table may take. */
  readonly tableMemoryMb: number
  readonly tableThreads: number
  /** `{ip}_{port}` of the advertised address. */
  readonly node: string
  /** Minted at every start. */
  readonly instance: string
}
