import { randomUUID } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Clock,
  type Coordinator,
  createRegistry,
  type createServer,
  type Logger,
  limits,
  mintBlobId,
  type Random,
  type Registry,
  type Scratch,
  type Store,
  systemClock,
  systemRandom,
  timedCoordinator,
  timedStore,
} from '@almanac/shared'
import type { SparkRun } from '@almanac/tables'
import type { FileReader, NodeContext } from '../base/context.ts'
import { Gate } from '../base/gate.ts'
import { createNodeMetrics } from '../base/metrics.ts'
import { bounds } from '../config/bounds.ts'
import { defaultTiming, type NodeTiming } from '../config/timing.ts'
import { FitPool, type Fitter } from '../fitting/fit-pool.ts'
import { besideShards, createFitQueue, type FitQueue } from '../fitting/fit-queue.ts'
import { processReader, type TableReader } from '../fitting/table/reader.ts'
import type { NodeRole } from '../registration/own-records.ts'
import type { Registration } from '../registration/registration.ts'
import { Answers } from '../serving/answers.ts'
import { ManyAnswers } from '../serving/many-answers.ts'
import { OnDemandVersions } from '../serving/on-demand-versions.ts'
import { PlacedVersions } from '../serving/placed-versions.ts'
import { Predictions } from '../serving/predictions.ts'
import { Shards } from '../serving/shards.ts'
import { followModels, type ModelsView } from '../serving/view.ts'
import { warmer } from '../serving/warm.ts'

export type NodeOptions = {
  /** Whoever opened it closes it, after the node. */
  readonly coordinator: Coordinator
  /** The same. */
  readonly store: Store
  /** The same; without it a fit of a table fails. */
  readonly files?: FileReader | undefined
  /** The same; without it temporary folders are where the system has them, and outlive a kill. */
  readonly scratch?: Pick<Scratch, 'make'> | undefined
  /** Where to listen. */
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
  /** Under which address brokers reach this node. */
  readonly advertiseIp: string
  readonly roles: readonly NodeRole[]
  /** Fits at once. */
  readonly fitWorkers: number
  readonly logger: Logger
  /** Required of every internal request when set. */
  readonly token: string | null
  /** Heap of one fitting thread, in MB. */
  readonly fitMemoryMb?: number
  /** What the process that reads a table may take. */
  readonly tableMemoryMb?: number
  /** Who works on large tables instead. */
  readonly spark?: SparkRun | undefined
  readonly clock?: Clock
  readonly random?: Random
  readonly timing?: Partial<NodeTiming>
  /** Of answers kept for repeated questions; what is kept of forecasts goes with it. */
  readonly answerCacheBytes?: number
  /** Of shards of models that are kept. */
  readonly shardMemoryBytes?: number
  /** Another file for the fitting threads to run. */
  readonly fitWorkerFile?: URL
  /** What a simulation brings instead: what works, HTTP, ids, and metrics without a process. */
  readonly fitter?: Fitter
  readonly tableReader?: TableReader
  readonly createServer?: typeof createServer
  readonly mintId?: () => string
  readonly registry?: Registry
}

/** A node in pieces. What can change is here, in one place. */
export type NodeParts = {
  readonly options: NodeOptions
  readonly context: NodeContext & { node: string }
  readonly registry: Registry
  readonly startedAt: string
  readonly serves: boolean
  /** Fits that it takes, under way and queued. */
  readonly fitsMax: number
  readonly view: ModelsView
  readonly placed: PlacedVersions
  readonly onDemand: OnDemandVersions
  readonly answers: Answers
  readonly shards: Shards
  readonly manyAnswers: ManyAnswers
  readonly predictions: Predictions
  /** Only with the role `fit`. */
  readonly pool: Fitter | undefined
  readonly queue: FitQueue | undefined
  /** Known once the node listens, as is its name in the context. */
  port: number
  /** Aborts when the node begins to leave. */
  readonly drain: AbortController
  /** Aborts when it must leave at once. */
  readonly cut: AbortController
  clusterId: string | undefined
  registration: Registration | undefined
  wasReady: boolean
}

export function createParts(options: NodeOptions): NodeParts {
  const { roles, fitWorkers, clock = systemClock, random = systemRandom, logger } = options
  const { registry = createRegistry('model-api'), mintId = mintBlobId } = options
  const context = {
    coordinator: timedCoordinator(options.coordinator, registry),
    store: timedStore(options.store, registry),
    files: options.files,
    scratch: options.scratch ?? { make: () => mkdtemp(join(tmpdir(), 'almanac-')) },
    clock,
    random,
    logger,
    metrics: createNodeMetrics(registry),
    timing: { ...defaultTiming, ...options.timing },
    mintId,
    instance: randomUUID(),
    largeLoads: new Gate(1),
    tableMemoryMb: options.tableMemoryMb ?? bounds.tableMemoryMb,
    tableThreads: fitWorkers,
    spark: options.spark,
    node: '',
  }
  const serves = roles.includes('serve')
  const fits = roles.includes('fit')
  const drain = new AbortController()
  const onChange = () => parts.registration?.kick()
  const view = followModels(context)
  const answers = new Answers(context.metrics, options.answerCacheBytes)
  const { shardMemoryBytes = bounds.shardMemoryMb * 1_048_576 } = options
  const shards = new Shards(context, shardMemoryBytes)
  const warm = warmer(answers, shards)
  const pool = fits ? (options.fitter ?? createPool(options, clock)) : undefined
  const parts: NodeParts = {
    options,
    context,
    registry,
    startedAt: clock.wallTime(),
    serves,
    fitsMax: fits ? fitWorkers + limits.queuedFitsMax : 0,
    view,
    placed: new PlacedVersions(context, view, { serves, onChange, warm }),
    onDemand: new OnDemandVersions(context, view),
    answers,
    shards,
    manyAnswers: new ManyAnswers(clock, context.metrics),
    predictions: new Predictions(clock),
    pool,
    queue: pool
      ? createFitQueue(
          {
            context,
            pool,
            tables: options.tableReader ?? processReader,
            view,
            drain: drain.signal,
          },
          { workers: fitWorkers, onChange },
        )
      : undefined,
    port: 0,
    drain,
    cut: new AbortController(),
    clusterId: undefined,
    registration: undefined,
    wasReady: false,
  }
  return parts
}

function createPool(options: NodeOptions, clock: Clock): FitPool {
  const { fitWorkers, fitMemoryMb = bounds.fitMemoryMb, fitWorkerFile } = options
  return new FitPool({
    workersMax: fitWorkers + besideShards,
    memoryMb: fitMemoryMb,
    clock,
    ...(fitWorkerFile ? { workerFile: fitWorkerFile } : {}),
  })
}
