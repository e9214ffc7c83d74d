import {
  type Clock,
  type Coordinator,
  type Files,
  type FilesPlace,
  type Logger,
  type Messages,
  mintBlobId,
  type Random,
  type Registry,
  type Store,
  type Touched,
  timedCoordinator,
  timedStore,
} from '@almanac/shared'
import { createBodyReader } from '../api/body-reader.ts'
import { trainPipeline } from '../api/earlier/pipeline.ts'
import type { ApiParts } from '../api/parts.ts'
import { actionParts } from '../api/schedule-routes.ts'
import type { Bounds } from '../config/bounds.ts'
import { createAskLook } from '../jobs/ask-look.ts'
import { createBacktests } from '../jobs/backtests.ts'
import { startDispatcher } from '../jobs/dispatch.ts'
import { createFilePredictions } from '../jobs/file-predictions.ts'
import { createFits } from '../jobs/fits.ts'
import { startHousekeeping } from '../jobs/housekeeping.ts'
import { failExhausted } from '../jobs/settle.ts'
import { createWaiters } from '../jobs/waiters.ts'
import { announceFile } from '../messages/announce.ts'
import { startMessageConsumer } from '../messages/consumer.ts'
import type { Announced } from '../messages/handle-message.ts'
import { startRetrainer } from '../retraining/loop.ts'
import { startRollouts } from '../rollout/loop.ts'
import { createAskShard } from '../routing/ask-shard.ts'
import { createForecaster } from '../routing/forecaster.ts'
import { createHearsay } from '../routing/hearsay.ts'
import { createLookup } from '../routing/lookup.ts'
import type { Peer } from '../routing/peer.ts'
import { createResponseCache } from '../routing/response-cache.ts'
import { createRetryBudget } from '../routing/retry-budget.ts'
import { createRouter } from '../routing/router.ts'
import { createShardIndexes } from '../routing/shard-indexes.ts'
import { internalHeaders, type TryParts } from '../routing/try-nodes.ts'
import type { Reply, Upstream } from '../routing/upstream.ts'
import { createWaitingRoom } from '../routing/waiting-room.ts'
import { startScheduler } from '../schedules/loop.ts'
import { openView } from '../view/cluster-view.ts'
import { tellingDeadlines, tellingStoreDeadlines } from '../view/deadlines.ts'
import { watchGauges } from './gauges.ts'
import { createIdentity } from './identity.ts'
import { countRun, createBrokerMetrics } from './metrics.ts'

export type AssembleParts = {
  readonly coordinator: Coordinator
  readonly store: Store
  readonly files?: Files | undefined
  readonly filesPlace?: FilesPlace | null
  readonly messages?: Messages | undefined
  readonly announced?: Announced | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly registry: Registry
  readonly token: string | null
  readonly who: string
  readonly bounds: Bounds
  readonly upstream: Upstream
  /** What a simulation brings instead. */
  readonly mintId?: () => string
}

export type Assembly = {
  readonly api: ApiParts
  readonly startDraining: () => void
  /** No more work of its own; what clients asked for is still finished. */
  readonly stop: () => void
  readonly close: () => Promise<void>
}

/** Puts a broker together. What changes in the cluster passes through here, in one order. */
export function assemble(given: AssembleParts): Assembly {
  const { clock, logger, bounds, registry, token, upstream, mintId = mintBlobId } = given
  const coordinator = tellingDeadlines(timedCoordinator(given.coordinator, registry))
  const store = tellingStoreDeadlines(timedStore(given.store, registry))
  const base = { ...given, coordinator, store }
  const metrics = createBrokerMetrics(registry)
  const identity = createIdentity(coordinator, bounds)
  const room = createWaitingRoom(bounds.waitingRequestsMax)
  const waiters = createWaiters(bounds.fitsWaitingMax)
  let isDraining = false
  let isAssembled = false
  // The router first, so that whoever is woken by a change finds the table that has it.
  const onChange = (touched: Touched) => {
    router.refresh(touched)
    rollouts.touch(touched)
    dispatcher.touch(touched)
    housekeeping.touch(touched)
    waiters.touch(touched)
  }
  const view = openView({
    coordinator,
    logger,
    onChange: (touched) => {
      // The first snapshot may arrive before all of this is put together.
      if (isAssembled) onChange(touched)
    },
    isSameCluster: identity.isUnchanged,
  })
  const { state } = view
  const observed = { ...base, state }
  const router = createRouter({
    ...observed,
    onTable: (touched) => {
      if (touched.all || touched.nodes.size > 0) upstream.keepOnly(router.peers())
      room.wake(touched)
    },
  })
  const rollouts = startRollouts({
    ...observed,
    silentMs: view.silentMs,
    onAction: (step, outcome) => metrics.rollouts.inc({ step, outcome }),
  })
  const headersFor = (peer: Peer, requestId: string) =>
    internalHeaders({ clusterId: identity.clusterId, token }, peer, requestId)
  const dispatcher = startDispatcher({
    ...observed,
    upstream,
    headersFor,
    onExhausted: (job) => {
      const { id, kind } = job.value
      failExhausted(observed, job).then(
        (isEnded) => {
          if (isEnded) metrics.jobsEnded.inc({ kind, outcome: 'exhausted' })
        },
        (error: Error) =>
          logger.warn({ event: 'exhausted-job-waits', job: id, cause: error.message }),
      )
    },
  })
  const housekeeping = startHousekeeping({ ...observed, log: view.log })
  const cache = createResponseCache(bounds.responseCacheBytes)
  const lookup = createLookup(coordinator, clock, bounds)
  const tries: TryParts = {
    ...observed,
    router,
    upstream,
    budget: createRetryBudget(bounds, clock),
    clusterId: identity.clusterId,
    observe: (_peer, reply, seconds) => metrics.upstream(outcomeOf(reply), seconds),
  }
  const onRetry = (count: number) => metrics.retries.inc(count)
  const hearsay = createHearsay(tries)
  const indexes = createShardIndexes(observed)
  const { shardOf } = indexes
  const asking = { ...tries, state, cache, room, lookup, hearsay, shardOf, onRetry }
  const forecaster = createForecaster(asking)
  const bodies = createBodyReader(bounds)
  const { cutNews } = bodies
  const fits = createFits({ ...base, mintId, indexes, cutNews, onAccepted: dispatcher.accepted })
  const { files, filesPlace = null, messages } = given
  const backtests = createBacktests({ ...base, mintId, onAccepted: dispatcher.accepted })
  const tenant = 'default'
  const filePredictions = createFilePredictions({
    ...{ ...base, mintId, onAccepted: dispatcher.accepted },
  })
  const actions = actionParts({
    ...{ ...observed, tenant, fits, bodies, files },
    ...{ backtests, forecaster, filePredictions },
  })
  const scheduler = startScheduler({
    ...{ ...base, mintId, schedules: view.schedules },
    onRun: countRun(metrics),
    actions,
  })
  const retrainer = startRetrainer({
    ...{ ...observed, mintId, fits, mustHaveFile: actions.mustHaveFile },
    retrainings: view.retrainings,
    onOutcome: (outcome) => metrics.retrainings.inc({ outcome }),
  })
  // Nodes that are long gone expire by themselves, without any event.
  const expiry = setInterval(() => {
    if (router.peers().some(({ goneAtMs }) => goneAtMs !== null)) router.refresh(everything)
  }, bounds.reconcileMs)
  expiry.unref()
  isAssembled = true
  if (view.ready()) onChange(everything)
  watchGauges(registry, { view, router, cache, indexes, room, waiters, clock })
  const askLook = createAskLook({ state, upstream, headersFor, bounds })
  // A file without a word on what for: as the earlier pipeline of sales had them.
  const train: Announced = async ({ file, origin, idempotency }) => {
    const { topic, partition, offset } = origin
    const requestId = `message:${topic}/${partition}/${offset}`
    await trainPipeline({ askLook, files, bounds, fits, tenant }, file, requestId, idempotency)
  }
  const consuming =
    messages &&
    startMessageConsumer({
      ...{ messages, registry, logger, bounds, tenant, files, filesPlace, fits, bodies },
      announced: given.announced ?? train,
    })
  const api: ApiParts = {
    ...observed,
    files,
    filesPlace,
    messages,
    announce: (file, signal) => announceFile({ messages, filesPlace }, file, signal),
    metrics,
    log: view.log,
    isReady: () => view.ready() && identity.clusterId() !== undefined,
    isDraining: () => isDraining,
    router,
    lookup,
    forecaster,
    indexes,
    askShard: createAskShard({ ...tries, room }),
    askLook,
    fits,
    backtests,
    filePredictions,
    waiters,
    bodies,
    tenant,
  }
  const stop = () => {
    rollouts.stop()
    dispatcher.stop()
    housekeeping.stop()
    scheduler.stop()
    retrainer.stop()
    // A fit goes on without this broker; its client is told where to look.
    waiters.end()
  }
  return {
    api,
    startDraining: () => {
      isDraining = true
      // At once, so that another broker goes on with what waits.
      void consuming?.stop()
    },
    stop,
    close: async () => {
      await consuming?.stop()
      stop()
      clearInterval(expiry)
      identity.stop()
      await Promise.all([view.stop(), upstream.close(), bodies.close()])
    },
  }
}

const everything: Touched = { all: true, models: new Set(), jobs: new Set(), nodes: new Set() }

function outcomeOf(reply: Reply): string {
  if (reply.kind !== 'reply') return reply.kind
  return reply.status === 200 ? '2xx' : `${Math.floor(reply.status / 100)}xx`
}
