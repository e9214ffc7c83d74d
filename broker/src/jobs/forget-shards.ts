import {
  type ClusterState,
  type Coordinator,
  limits,
  remove,
  shardClaimKey,
  shardKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'

/** Records of shards whose job has ended: its version names what was fitted. Pure. */
export function endedShards({ jobs, shards, shardClaims }: ClusterState): readonly string[] {
  const isOver = (job: string) => (jobs.get(job)?.value.endedAt ?? null) !== null || !jobs.has(job)
  const keys: string[] = []
  for (const [job, records] of shards)
    if (isOver(job)) for (const number of records.keys()) keys.push(shardKey(job, number))
  for (const [job, claims] of shardClaims)
    if (isOver(job)) for (const number of claims.keys()) keys.push(shardClaimKey(job, number))
  return keys
}

type Parts = {
  readonly coordinator: Coordinator
  readonly state: () => ClusterState
  readonly bounds: Pick<Bounds, 'coordinatorCallMs'>
}

/** Nobody looks at them any more, so that it does not matter who else takes them away. */
export async function forgetShards(parts: Parts, signal: AbortSignal): Promise<void> {
  const keys = endedShards(parts.state())
  const most = limits.transactionOperationsMax
  for (let from = 0; from < keys.length; from += most) {
    const then = keys.slice(from, from + most).map((key) => remove(key))
    const within = AbortSignal.any([signal, AbortSignal.timeout(parts.bounds.coordinatorCallMs)])
    await parts.coordinator.transact({ when: [], then }, within)
  }
}
