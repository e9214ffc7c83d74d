import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, systemClock } from '@almanac/shared'
import { expect, test } from 'vitest'
import { FitPool } from '../../src/fitting/fit-pool.ts'

test('a fitting thread stands back behind those that answer, and ends when nobody needs it', async () => {
  const before = standingBack()
  const idle = Promise.withResolvers<void>()
  const clock: Clock = { ...systemClock, sleep: () => idle.promise }
  const pool = new FitPool({ workersMax: 1, memoryMb: 256, clock })
  try {
    expect(standingBack()).toBe(before)
    const dataset = new Uint8Array([1, 2, 3])
    const work = { dataset, spec: null, seed: 1, workMax: 1 }
    const reply = await pool.fit(work as never, AbortSignal.timeout(20_000))
    expect(reply.kind).toBe('refused')
    expect(standingBack()).toBe(before + 1)
    idle.resolve()
    for (let tries = 0; standingBack() > before && tries < 500; tries++) await delay(20)
    expect(standingBack()).toBe(before)
  } finally {
    await pool.close()
  }
}, 30_000)

/** Threads of this process with the priority of a fit. */
function standingBack(): number {
  return readdirSync('/proc/self/task').filter((task) => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16] === String(getPriority() + 5)
  }).length
}
