import type { Touched } from '@almanac/shared'

/** Requests that wait for the table to change. Bounded: one more is refused at once. */
export type WaitingRoom = {
  readonly enter: () => boolean
  readonly leave: () => void
  /** Resolves when the model's routes change, the time is over, or the signal aborts. */
  readonly pause: (model: string, ms: number, signal: AbortSignal) => Promise<void>
  readonly wake: (touched: Touched) => void
  readonly count: () => number
}

export function createWaitingRoom(waitingMax: number): WaitingRoom {
  const sleepers = new Map<string, Set<() => void>>()
  let count = 0

  const wakeAll = (model: string) => {
    const woken = sleepers.get(model)
    sleepers.delete(model)
    for (const wakeUp of woken ?? []) wakeUp()
  }
  return {
    enter: () => {
      if (count >= waitingMax) return false
      count += 1
      return true
    },
    leave: () => {
      count -= 1
    },
    pause: (model, ms, signal) =>
      new Promise((resolve) => {
        const wakeUp = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', wakeUp)
          const others = sleepers.get(model)
          others?.delete(wakeUp)
          if (others?.size === 0) sleepers.delete(model)
          resolve()
        }
        const timer = setTimeout(wakeUp, ms)
        if (signal.aborted) return wakeUp()
        signal.addEventListener('abort', wakeUp, { once: true })
        const others = sleepers.get(model) ?? new Set()
        sleepers.set(model, others.add(wakeUp))
      }),
    wake: (touched) => {
      const models = touched.all || touched.nodes.size > 0 ? [...sleepers.keys()] : touched.models
      for (const model of models) wakeAll(model)
    },
    count: () => count,
  }
}
