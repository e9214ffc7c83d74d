import { type Clock, type Random, seededRandom } from '@almanac/shared'
import type { Process, World } from './world.ts'

/** Time as one process has it. */
export function clockOf(world: World, process: Process): Clock {
  return {
    monotonicMs: () => world.nowMs,
    wallTime: () => new Date().toISOString(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const giveUp = () => {
          timer.cancelled = true
          reject(signal.reason)
        }
        const timer = world.after(Math.max(1, ms), process, () => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        })
        signal.addEventListener('abort', giveUp, { once: true })
      }),
  }
}

/** Chance as one process has it: the same for the same start of the same process. */
export function randomOf(
  seed: number,
  { name, incarnation }: Pick<Process, 'name' | 'incarnation'>,
): Random {
  let hash = seed ^ incarnation
  for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193)
  return seededRandom(hash)
}
