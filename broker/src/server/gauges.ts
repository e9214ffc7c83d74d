import type { Clock, Registry } from '@almanac/shared'
import type { Waiters } from '../jobs/waiters.ts'
import { isResting } from '../routing/peer.ts'
import type { ResponseCache } from '../routing/response-cache.ts'
import type { Router } from '../routing/router.ts'
import type { ShardIndexes } from '../routing/shard-indexes.ts'
import type { WaitingRoom } from '../routing/waiting-room.ts'
import type { ClusterView } from '../view/cluster-view.ts'
import { gauge, gauges } from './metrics.ts'

export type Watched = {
  readonly view: ClusterView
  readonly router: Router
  readonly cache: ResponseCache
  readonly indexes: ShardIndexes
  readonly room: WaitingRoom
  readonly waiters: Waiters
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/** Models with a gauge of their own: metrics must not grow with customers. */
const modelsMax = 100

/** What this broker sees and holds, as gauges. */
export function watchGauges(registry: Registry, watched: Watched): void {
  const { view, router, cache, indexes, room, waiters, clock } = watched
  const add = (name: string, help: string, look: () => number) =>
    gauge(registry, `almanac_${name}`, help, look)
  add('cache_bytes', 'Bytes of kept responses.', cache.bytes)
  add('cache_responses', 'Kept responses.', cache.count)
  add('shard_index_bytes', 'Bytes of kept indexes of versions with many series.', indexes.bytes)
  add('forecasts_waiting', 'Forecasts that wait for a node.', room.count)
  add('fit_requests_waiting', 'Clients that wait for their fit.', waiters.count)
  add('table_revision', 'Revision of the routing table.', () => router.table().revision)
  add('table_age_seconds', 'Time since the table last changed.', () => router.ageMs() / 1_000)
  add('watch_silent_seconds', 'Time since the coordinator last said anything.', () => {
    return view.silentMs() / 1_000
  })
  add('nodes_resting', 'Nodes that failed lately and are spared.', () => {
    const nowMs = clock.monotonicMs()
    return router.peers().filter((peer) => isResting(peer, nowMs)).length
  })
  const labelled = (
    name: string,
    help: string,
    label: string,
    look: () => ReadonlyMap<string, number>,
  ) => gauges(registry, `almanac_${name}`, help, label, look)
  labelled('jobs', 'Jobs in the coordinator by state.', 'state', () => {
    const counts = new Map<string, number>()
    for (const { value } of view.state().jobs.values())
      counts.set(value.state, (counts.get(value.state) ?? 0) + 1)
    return counts
  })
  labelled('version_serving', 'The version that serves, by model.', 'model', () => {
    const serving = [...view.state().models].flatMap(([id, { value }]) =>
      value.serving === null ? [] : [[id, value.serving] as const],
    )
    return new Map(serving.slice(0, modelsMax))
  })
}
