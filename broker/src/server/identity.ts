import type { Coordinator } from '@almanac/shared'
import pRetry from 'p-retry'
import type { Bounds } from '../config/bounds.ts'

/** Which cluster this is. Asked for until it is known; nodes answer only to its name. */
export type Identity = {
  readonly clusterId: () => string | undefined
  /** Whether the coordinator is still the one it was; a new one is taken over. */
  readonly isUnchanged: () => Promise<boolean>
  readonly stop: () => void
}

export function createIdentity(
  coordinator: Coordinator,
  bounds: Pick<Bounds, 'coordinatorCallMs'>,
): Identity {
  const stopped = new AbortController()
  let known: string | undefined

  const ask = () =>
    pRetry(() => coordinator.clusterId(AbortSignal.timeout(bounds.coordinatorCallMs)), {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 100,
      maxTimeout: 2_000,
      randomize: true,
      signal: stopped.signal,
    })
  const first = ask().then((id) => {
    known = id
    return id
  })
  first.catch(() => {})
  return {
    clusterId: () => known,
    isUnchanged: async () => {
      try {
        const before = await first
        const now = await ask()
        known = now
        return before === now
      } catch {
        return true
      }
    },
    stop: () => stopped.abort(new Error('the broker stops')),
  }
}
