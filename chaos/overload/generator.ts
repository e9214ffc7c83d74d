import { setTimeout as delay } from 'node:timers/promises'
import { countExternalMemory, seededRandom } from '@almanac/shared'
import { Pool } from 'undici'
import { type Latencies, type Offered, onsetMs, type Plan } from './plan.ts'
import { type Tally, Watch } from './watch.ts'

/**
 * Offers load and says what became of it. No two questions are the same, so that none is answered
 * from memory. Times count from when a request was due, not from when there was time to send it.
 */
countExternalMemory()
const plan = JSON.parse(process.argv[2] ?? '') as Plan
const random = seededRandom(plan.seed)
const pool = new Pool(plan.url, { connections: 1_000, pipelining: 1 })
const emptyTally = (): Tally => ({
  answers: [],
  settled: [],
  refusals: [],
  failed: 0,
  firstFailure: null,
  open: 0,
})
let tally = emptyTally()
let lateMs: number[] = []
let settledMs = Number.POSITIVE_INFINITY

// Code that has not run yet takes a tenth of a second at a time, which would be taken for answers.
const [warmAtOnce, warmMs] = [8, 2_000]
await inTurns(warmAtOnce, performance.now() + warmMs)
tally = emptyTally()
lateMs = []

const beganMs = performance.now()
settledMs = beganMs + onsetMs
const endMs = beganMs + plan.seconds * 1_000
if ('atOnce' in plan) await inTurns(plan.atOnce, endMs)
else await byChance(plan.perSecond)
const took = (performance.now() - beganMs) / 1_000
const { answers, settled, refusals, failed, firstFailure } = tally
const offered: Offered = {
  sent: answers.length + refusals.length + failed,
  answered: answers.length,
  refused: refusals.length,
  failed,
  answeredPerSecond: answers.length / took,
  answers: latencies(answers),
  settled: latencies(settled),
  refusals: latencies(refusals),
  lateP99Ms: latencies(lateMs).p99Ms,
  firstFailure,
}
process.stdout.write(`${JSON.stringify(offered)}\n`)
await pool.destroy()

async function inTurns(atOnce: number, untilMs: number): Promise<void> {
  const inTurn = async () => {
    while (performance.now() < untilMs)
      await new Promise<void>((done) => ask(performance.now(), done))
  }
  await Promise.all(Array.from({ length: atOnce }, inTurn))
}

/** A Poisson process: as many clients that know nothing of each other make one. */
async function byChance(perSecond: number): Promise<void> {
  const pauseMs = () => (-Math.log(1 - random()) * 1_000) / perSecond
  let dueMs = beganMs + pauseMs()
  while (dueMs < endMs) {
    for (; dueMs <= performance.now() && dueMs < endMs; dueMs += pauseMs()) ask(dueMs, () => {})
    await delay(1)
  }
  for (let waitedMs = 0; tally.open > 0 && waitedMs < 20_000; waitedMs += 10) await delay(10)
  tally.failed += tally.open
}

function ask(dueMs: number, done: () => void): void {
  const level = (from: number) => (from + random() * 10).toFixed(4)
  lateMs.push(performance.now() - dueMs)
  const due = { ms: dueMs, isSettled: dueMs >= settledMs }
  const path = `/api/forecast/500?level=${level(70)},${level(85)}`
  pool.dispatch({ method: 'GET', path }, new Watch(tally, due, done))
}

function latencies(values: number[]): Latencies {
  const sorted = values.sort((a, b) => a - b)
  const at = (share: number) =>
    Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 100) / 100
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}
