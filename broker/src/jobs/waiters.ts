import { jobKey, type Touched } from '@almanac/shared'

/** Those who wait for something to become true of the state. */
export type Waiters = {
  /**
   * What `look` finds, as soon as it finds something; undefined when time is up, the signal aborts
   * or there are too many who wait already. It looks when the model changes, by its id, or the job,
   * by its key.
   */
  readonly until: <T>(
    what: string,
    look: () => T | undefined,
    timeoutMs: number,
    signal: AbortSignal,
  ) => Promise<T | undefined>
  readonly touch: (touched: Touched) => void
  /** Whoever waits is told what is known now; nobody waits any more. */
  readonly end: () => void
  readonly count: () => number
}

export function createWaiters(waitersMax: number): Waiters {
  const waiting = new Map<string, Set<() => void>>()
  const givingUp = new Set<() => void>()
  let isEnded = false
  let count = 0

  const wake = (looks: Iterable<() => void>) => {
    for (const look of [...looks]) look()
  }
  return {
    until: (what, look, timeoutMs, signal) => {
      const now = look()
      if (now !== undefined || signal.aborted || isEnded || timeoutMs <= 0 || count >= waitersMax)
        return Promise.resolve(now)
      count += 1
      return new Promise((resolve) => {
        const looks = waiting.get(what) ?? new Set()
        waiting.set(what, looks)
        const end = (found: Parameters<typeof resolve>[0]) => {
          clearTimeout(timer)
          signal.removeEventListener('abort', giveUp)
          givingUp.delete(giveUp)
          looks.delete(again)
          if (looks.size === 0 && waiting.get(what) === looks) waiting.delete(what)
          count -= 1
          resolve(found)
        }
        const giveUp = () => end(undefined)
        const again = () => {
          const found = look()
          if (found !== undefined) end(found)
        }
        const timer = setTimeout(giveUp, timeoutMs)
        signal.addEventListener('abort', giveUp, { once: true })
        givingUp.add(giveUp)
        looks.add(again)
      })
    },
    end: () => {
      isEnded = true
      wake(givingUp)
    },
    touch: (touched) => {
      if (touched.all) for (const looks of waiting.values()) wake(looks)
      else {
        for (const model of touched.models) wake(waiting.get(model) ?? [])
        for (const job of touched.jobs) wake(waiting.get(jobKey(job)) ?? [])
      }
    },
    count: () => count,
  }
}
