import type { Clock } from '../base/clock.ts'
import type { Lease } from './port.ts'

export type LeaseSource = {
  readonly id: string
  /** As granted. */
  readonly ttlMs: number
  /** Monotonic time at which the request for the lease was sent. */
  readonly sentMs: number
  readonly clock: Clock
  /** Asks for another TTL; rejects when the answer is not known. Must be bounded in time. */
  keepAlive(signal: AbortSignal): Promise<'kept' | 'ended'>
  /** Ends the lease; an ended one is no error. */
  revoke(signal: AbortSignal): Promise<void>
  /** Aborts when the coordinator is closed. */
  readonly closed: AbortSignal
  onLost?(reason: string): void
}

/** Why a lease is no longer there; the reason of its `lost` signal. */
export class LeaseEnded extends Error {
  override name = 'LeaseEnded'
}

/**
 * Keeps a lease alive and knows for how long it can be trusted. Both adapters use it, so that a
 * process that stalls loses its leases in the same way whatever they live in.
 *
 * The validity clock counts from when a confirmed keep-alive was *sent*: the backend counts its TTL
 * from a later instant, so that ours always runs out first.
 */
export function keepLease(source: LeaseSource): Lease {
  const { id, ttlMs, clock } = source
  const lost = new AbortController()
  let confirmedMs = source.sentMs

  const lose = (reason: string) => {
    if (lost.signal.aborted) return
    source.closed.removeEventListener('abort', onClosed)
    source.onLost?.(reason)
    lost.abort(new LeaseEnded(`lease ${id}: ${reason}`))
  }
  const onClosed = () => lose('the coordinator was closed')
  const validMs = () => {
    if (lost.signal.aborted) return 0
    const leftMs = confirmedMs + ttlMs * trustedShare - clock.monotonicMs()
    // Once anybody was told zero it stays zero: a late confirmation must not revive it.
    if (leftMs <= 0) lose('not confirmed in time')
    return Math.max(0, leftMs)
  }

  async function watchValidity(): Promise<void> {
    for (let leftMs = validMs(); leftMs > 0; leftMs = validMs()) {
      await clock.sleep(leftMs, lost.signal)
    }
  }

  async function renew(): Promise<void> {
    let waitMs = ttlMs / 3
    while (!lost.signal.aborted) {
      await clock.sleep(waitMs, lost.signal)
      const sentMs = clock.monotonicMs()
      const answer = await source.keepAlive(lost.signal).catch(() => 'unknown' as const)
      if (answer === 'ended') return lose('the backend has ended it')
      if (answer === 'kept' && validMs() > 0) confirmedMs = sentMs
      waitMs = answer === 'kept' ? ttlMs / 3 : Math.min(retryMs, ttlMs / 10)
    }
  }

  if (source.closed.aborted) onClosed()
  else source.closed.addEventListener('abort', onClosed, { once: true })
  // Both loops end by the `lost` signal, which is then no news to anybody.
  watchValidity().catch(() => {})
  renew().catch(() => {})

  return {
    id,
    ttlMs,
    lost: lost.signal,
    validMs,
    async revoke(signal) {
      lose('it was revoked')
      await source.revoke(signal)
    },
  }
}

/** A fifth is kept back for clocks that run at different speeds and for effects under way. */
const trustedShare = 0.8
/** After a keep-alive without an answer the next one goes out soon: the TTL is running. */
const retryMs = 500
