import {
  type ClusterState,
  createClusterFold,
  modelsPrefix,
  type Touched,
  type Watch,
} from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'

/** What the cluster wants of its models, as this node's watch tells it. */
export type ModelsView = {
  readonly state: ClusterState
  /** Whether the first snapshot has come. */
  started(): boolean
  /** Whether the watch has been silent for so long that nothing may be concluded from absence. */
  stale(): boolean
  /** Told after every event that changed anything. Must not throw. */
  onChange(listener: (touched: Touched) => void): () => void
  stop(): Promise<void>
}

export function followModels(context: NodeContext): ModelsView {
  const { coordinator, logger, timing } = context
  const fold = createClusterFold((key, fault) =>
    logger.warn({ event: 'bad-record-skipped', key, fault }),
  )
  const listeners = new Set<(touched: Touched) => void>()
  let started = false
  const watch: Watch = coordinator.watch(modelsPrefix, (event) => {
    const touched = fold.apply(event)
    if (event.kind === 'snapshot') started = true
    if (event.kind === 'progress') return
    for (const listener of listeners) listener(touched)
  })
  return {
    state: fold.state,
    started: () => started,
    stale: () => !started || watch.silentMs() > timing.watchSilenceMs,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop: () => watch.stop(),
  }
}
