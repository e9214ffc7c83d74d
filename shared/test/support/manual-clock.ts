import type { Clock } from '../../src/index.ts'

/** A clock that stands still until it is told to go on. */
export type ManualClock = Clock & {
  /** Moves time; sleepers whose time has come go on, in order, before it resolves. */
  advance(ms: number): Promise<void>
}

export function manualClock(): ManualClock {
  let now = 0
  const sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>()
  // Promises that follow from a wake-up need turns of their own to settle.
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    monotonicMs: () => now,
    wallTime: () => new Date(now).toISOString(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const sleeper = { atMs: now + ms, wake: resolve }
        sleepers.add(sleeper)
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper)
          reject(signal.reason)
        })
      }),
    async advance(ms) {
      const until = now + ms
      await settle()
      for (;;) {
        const due = [...sleepers].filter(({ atMs }) => atMs <= until)
        const next = due.sort((a, b) => a.atMs - b.atMs)[0]
        if (!next) break
        now = Math.max(now, next.atMs)
        sleepers.delete(next)
        next.wake()
        await settle()
      }
      now = until
      await settle()
    },
  }
}
