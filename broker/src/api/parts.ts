import type {
  Clock,
  ClusterState,
  Coordinator,
  Files,
  FilesPlace,
  Logger,
  Messages,
  Origin,
  Random,
  Store,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import type { AskLook } from '../jobs/ask-look.ts'
import type { Backtests } from '../jobs/backtests.ts'
import type { FilePredictions } from '../jobs/file-predictions.ts'
import type { Fits } from '../jobs/fits.ts'
import type { Waiters } from '../jobs/waiters.ts'
import type { AskShard } from '../routing/ask-shard.ts'
import type { Forecaster } from '../routing/forecaster.ts'
import type { Lookup } from '../routing/lookup.ts'
import type { Router } from '../routing/router.ts'
import type { ShardIndexes } from '../routing/shard-indexes.ts'
import type { BrokerMetrics } from '../server/metrics.ts'
import type { LogView } from '../view/log-fold.ts'
import type { BodyReader } from './body-reader.ts'

/** What the routes work with. */
export type ApiParts = {
  readonly coordinator: Coordinator
  readonly store: Store
  /** Undefined where nobody said where they are. */
  readonly files: Files | undefined
  /** What names of files begin with for others; null where that is not known. */
  readonly filesPlace: FilesPlace | null
  /** Undefined where nobody said where they come from. */
  readonly messages: Messages | undefined
  /** Leaves the message that a file is there; see `announceFile`. */
  readonly announce: (file: string, signal: AbortSignal) => Promise<Origin>
  readonly clock: Clock
  readonly random: Random
  readonly bounds: Bounds
  readonly logger: Logger
  readonly metrics: BrokerMetrics
  readonly state: () => ClusterState
  readonly log: () => LogView
  readonly isReady: () => boolean
  readonly isDraining: () => boolean
  readonly router: Router
  readonly lookup: Lookup
  readonly forecaster: Forecaster
  readonly indexes: ShardIndexes
  readonly askShard: AskShard
  readonly askLook: AskLook
  readonly fits: Fits
  readonly backtests: Backtests
  readonly filePredictions: FilePredictions
  readonly waiters: Waiters
  readonly bodies: BodyReader
  /** Until there are customers there is one. */
  readonly tenant: string
  /** This broker, for the log of promotions. */
  readonly who: string
}
