import { absent, type Clock, type Coordinator, claimKey, codecs, put } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'

type Parts = {
  readonly coordinator: Coordinator
  readonly clock: Pick<Clock, 'wallTime'>
  readonly who: string
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'leaseTtlMs'>
}

/**
 * One broker at a time, for as long as its lease is good; `fence` is the create revision of the
 * claim. Somebody else at it: nothing to do.
 */
export async function underClaim(
  parts: Parts,
  task: string,
  stopped: AbortSignal,
  work: (signal: AbortSignal, fence: number) => Promise<void>,
): Promise<void> {
  const { coordinator, bounds } = parts
  const deadline = () => AbortSignal.timeout(bounds.coordinatorCallMs)
  const lease = await coordinator.grantLease(bounds.leaseTtlMs, deadline())
  try {
    const fence = await claim(parts, task, lease.id)
    if (fence !== undefined) await work(AbortSignal.any([lease.lost, stopped]), fence)
  } finally {
    await lease.revoke(deadline()).catch(() => {})
  }
}

async function claim(
  { coordinator, clock, who, bounds }: Parts,
  task: string,
  lease: string,
): Promise<number | undefined> {
  const key = claimKey(task)
  const value = codecs.claim.encode({ node: who, instance: 'broker', since: clock.wallTime() })
  const transaction = { when: [absent(key)], then: [put(key, value, lease)] }
  const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
  const { succeeded, revision } = await coordinator.transact(transaction, signal)
  return succeeded ? revision : undefined
}
