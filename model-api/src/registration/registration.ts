import { type Lease, limits, Unavailable } from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import { retryWaitMs } from '../base/patience.ts'
import { Wake } from '../base/wake.ts'
import { differences, readWritten, remember, type Written } from './registered-keys.ts'

export type Registration = {
  /** What is wanted may have changed. */
  kick(): void
  /** Whether all that was wanted at some time stood in the coordinator. Never false again. */
  registered(): boolean
  /** Ends the lease, and with it all keys. Bounded in time; does not reject. */
  end(): Promise<void>
}

/** What should stand under the node's keys. */
export type OwnKeys = {
  readonly wanted: ReadonlyMap<string, string>
  /** Brings `wanted` up to date, and tells which keys changed with that. */
  refresh(): ReadonlySet<string>
}

/**
 * Keeps the node's own keys as `own` says, all under one lease. A lost lease is replaced; keys
 * are read back at least every `reconcileMs`, so that whatever happened to them is mended.
 */
export function register(context: NodeContext, own: OwnKeys): Registration {
  const loop = new RegistrationLoop(context, own)
  return {
    kick: () => loop.wake.signal(),
    registered: () => loop.registered,
    end: () => loop.end(),
  }
}

class RegistrationLoop {
  readonly wake: Wake
  registered = false
  readonly #context: NodeContext
  readonly #own: OwnKeys
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #lease: Lease | undefined

  constructor(context: NodeContext, own: OwnKeys) {
    this.#context = context
    this.#own = own
    this.wake = new Wake(context.clock)
    this.#running = this.#run()
  }

  async end(): Promise<void> {
    this.#stop.abort()
    const lease = this.#lease
    // Before the loop is awaited: it may be in a call that takes its time.
    await lease?.revoke(AbortSignal.timeout(limits.coordinatorCallMs)).catch(() => {})
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, random, timing, coordinator, logger, metrics } = this.#context
    const { signal } = this.#stop
    for (let tries = 0; !signal.aborted; tries++) {
      // The first lease is asked for at once, every other one after a rest: nothing may spin here.
      if (tries > 0) await clock.sleep(retryWaitMs(tries, random), signal).catch(() => {})
      if (signal.aborted) return
      try {
        const lease = await coordinator.grantLease(timing.leaseTtlMs, signal)
        this.#lease = lease
        metrics.registrations.inc()
        const kept = await this.#keep(lease)
        if (signal.aborted || !lease.lost.aborted)
          await lease.revoke(AbortSignal.timeout(limits.coordinatorCallMs)).catch(() => {})
        if (signal.aborted) return
        logger.warn({ event: 'registration-lost', node: this.#context.node, kept })
        if (kept) tries = 0
      } catch (error) {
        if (tries <= 1 && !signal.aborted) logger.warn({ event: 'not-registered', err: error })
      }
    }
  }

  /** Writes under one lease until it is lost or refused. Whether it was any good. */
  async #keep(lease: Lease): Promise<boolean> {
    const { clock, random, timing, logger } = this.#context
    const ends = AbortSignal.any([this.#stop.signal, lease.lost])
    let written: Written | undefined
    let readAtMs = 0
    let kept = false
    for (let faults = 0; !ends.aborted; ) {
      try {
        const due = clock.monotonicMs() - readAtMs >= timing.reconcileMs
        const isRead = written === undefined || due
        if (written === undefined || due) {
          written = await readWritten(this.#context.coordinator, this.#context.node, lease)
          readAtMs = clock.monotonicMs()
        }
        await this.#write(lease, written, isRead)
        if (!kept) logger.info({ event: 'registered', node: this.#context.node })
        kept = true
        this.registered = true
        faults = 0
        await this.wake.wait(timing.reconcileMs, ends)
      } catch (error) {
        if (ends.aborted) break
        // What the failed call did is not known: everything is read again.
        written = undefined
        faults += 1
        if (faults === 1) logger.warn({ event: 'registration-not-written', err: error })
        // The backend answers and refuses: most likely it knows the lease to be gone.
        if (!(error instanceof Unavailable)) return kept
        await clock.sleep(retryWaitMs(faults, random), ends).catch(() => {})
      }
    }
    return kept
  }

  /** All that differs right after a look at what is there, later what has changed since. */
  async #write(lease: Lease, written: Written, isRead: boolean): Promise<void> {
    const changed = this.#own.refresh()
    const among = isRead ? undefined : changed
    for (const operations of differences(this.#own.wanted, written, lease.id, among)) {
      await this.#context.coordinator.transact({ when: [], then: operations }, lease.lost)
      remember(written, operations)
    }
  }
}
