import { type Lease, type Transaction, Unavailable } from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import { retryWaitMs } from '../base/patience.ts'

/** `unknown`: the coordinator did not answer while the claim could be trusted. */
export type Effect = 'applied' | 'refused' | 'unknown'

/**
 * A transaction that a fence guards, tried until it is known or the lease is lost. `proof` is what
 * it leaves behind and nothing else does: where an answer was lost, what stands there tells.
 */
export async function applyUnder(
  { coordinator, clock, random }: NodeContext,
  lease: Lease,
  transaction: Transaction,
  proof: { readonly key: string; readonly value: string },
): Promise<Effect> {
  for (let tries = 1; ; tries++) {
    try {
      if ((await coordinator.transact(transaction, lease.lost)).succeeded) return 'applied'
      // Refused, or done already by a try whose answer was lost.
      const entry = await coordinator.get(proof.key, lease.lost)
      return entry?.value === proof.value ? 'applied' : 'refused'
    } catch (error) {
      if (lease.lost.aborted) return 'unknown'
      if (!(error instanceof Unavailable)) throw error
      await clock.sleep(retryWaitMs(tries, random), lease.lost).catch(() => {})
    }
  }
}
