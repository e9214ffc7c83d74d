import type { Clock, Coordinator, Files, Logger, Random, Scratch, Store } from '@almanac/shared'
import type { SparkRun } from '@almanac/tables'
import type { NodeTiming } from '../config/timing.ts'
import type { Gate } from './gate.ts'
import type { NodeMetrics } from './metrics.ts'

/** What a node does with files; who gives none to write to has no predictions into files. */
export type FileReader = Pick<Files, 'read'> & Partial<Pick<Files, 'write'>>

/** What every part of a node works with. */
export type NodeContext = {
  readonly coordinator: Coordinator
  readonly store: Store
  /** Files that users bring; undefined where nobody said where they are. */
  readonly files: FileReader | undefined
  /** Folders for what need not outlive this process. */
  readonly scratch: Pick<Scratch, 'make'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: NodeMetrics
  readonly timing: NodeTiming
  /** A blob id that was never used. */
  readonly mintId: () => string
  /** Through here large versions are loaded one after the other, whoever wants them. */
  readonly largeLoads: Gate
  /** What the process that reads a table may take. */
  readonly tableMemoryMb: number
  readonly tableThreads: number
  /** Who does what is done with all rows of large tables; undefined: this node. */
  readonly spark: SparkRun | undefined
  /** `{ip}_{port}` of the advertised address. */
  readonly node: string
  /** Minted at every start. */
  readonly instance: string
}
