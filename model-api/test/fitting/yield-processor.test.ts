import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '@almanac/shared'
import { expect, test } from 'vitest'
import { FitPool } from '../../src/fitting/fit-pool.ts'

// Linux alone has a priority for each thread: that is where nodes run.
test.runIf(process.platform === 'linux')(
  'a fitting thread stands back behind those that answer',
  async () => {
    const before = standingBack()
    const pool = new FitPool({ workersMax: 1, memoryMb: 256, clock: systemClock })
    try {
      // The pool keeps a warm thread: it lowers its priority before it takes its first fit.
      for (let tries = 0; standingBack() === before && tries < 500; tries++) await delay(20)
      expect(standingBack()).toBe(before + 1)
    } finally {
      await pool.close()
    }
  },
  20_000,
)

/** Threads of this process with the priority of a fit. */
function standingBack(): number {
  return readdirSync('/proc/self/task').filter((task) => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16] === '5'
  }).length
}
