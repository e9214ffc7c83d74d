import {
  type ClusterFold,
  type ClusterState,
  type Coordinator,
  createClusterFold,
  type Logger,
  type Touched,
  type WatchEvent,
} from '@almanac/shared'
import { createLogFold, type LogView } from './log-fold.ts'
import { createRetrainingFold, type Retrainings } from './retraining-fold.ts'
import { createScheduleFold, type Schedules } from './schedule-fold.ts'

/** What this broker knows of the cluster, and when it changes. */
export type ClusterView = {
  /** The newest state; its maps change in place, so it is read at once and not kept. */
  readonly state: () => ClusterState
  readonly log: () => LogView
  readonly schedules: () => Schedules
  readonly retrainings: () => Retrainings
  /** Whether the first snapshot has arrived. */
  readonly ready: () => boolean
  readonly silentMs: () => number
  readonly stop: () => Promise<void>
}

export type ViewOptions = {
  readonly coordinator: Coordinator
  readonly logger: Logger
  /** Told after every change, in revision order. */
  readonly onChange: (touched: Touched) => void
  /** Asked when a snapshot is older than what is known: is this still the same cluster? */
  readonly isSameCluster: () => Promise<boolean>
}

/**
 * Folds the watch. A snapshot that is older than what is known already (a member that lags behind)
 * is folded aside until it has caught up, so that the view never goes back in revision.
 */
export function openView(options: ViewOptions): ClusterView {
  const { coordinator, logger, onChange } = options
  let current = createSides(logger)
  let lagging: Sides | undefined
  let ready = false

  const show = (touched: Touched) => {
    ready = true
    onChange(touched)
  }
  const replace = (by: Sides) => {
    current = by
    lagging = undefined
    show(everything)
  }
  const onEvent = (event: WatchEvent) => {
    const isOlder = event.revision < current.cluster.state.revision
    if (event.kind === 'snapshot') {
      const fresh = createSides(logger)
      applyTo(fresh, event)
      if (!isOlder) return replace(fresh)
      lagging = fresh
      logger.warn({ event: 'snapshot-behind', revision: event.revision })
      void options.isSameCluster().then((same) => {
        if (!same && lagging === fresh) replace(fresh)
      })
      return
    }
    if (lagging === undefined) return show(applyTo(current, event))
    applyTo(lagging, event)
    if (!isOlder) replace(lagging)
  }
  const watch = coordinator.watch('/', onEvent)
  return {
    state: () => current.cluster.state,
    log: () => current.log,
    schedules: () => current.schedules.all,
    retrainings: () => current.retrainings.all,
    ready: () => ready,
    silentMs: () => watch.silentMs(),
    stop: () => watch.stop(),
  }
}

type Sides = {
  readonly cluster: ClusterFold
  readonly log: ReturnType<typeof createLogFold>
  readonly schedules: ReturnType<typeof createScheduleFold>
  readonly retrainings: ReturnType<typeof createRetrainingFold>
}

const everything: Touched = {
  all: true,
  models: new Set(),
  jobs: new Set(),
  nodes: new Set(),
}

function createSides(logger: Logger): Sides {
  const report = (key: string, fault: string) => {
    logger.error({ event: 'bad-value', key, fault })
  }
  return {
    cluster: createClusterFold(report),
    log: createLogFold(report),
    schedules: createScheduleFold(report),
    retrainings: createRetrainingFold(report),
  }
}

function applyTo(sides: Sides, event: WatchEvent): Touched {
  sides.log.apply(event)
  sides.schedules.apply(event)
  sides.retrainings.apply(event)
  return sides.cluster.apply(event)
}
