import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'
import { levelAt, type Target } from '../target.ts'
import type { Sent, SteadyOptions } from './steady.ts'

/**
 * Sends at a steady rate, whether answers come or not, and writes what it saw: generator.ts
 * OPTIONS FILE. A process of its own, so that nothing else delays it.
 */
const options = JSON.parse(process.argv[2] ?? '') as SteadyOptions & { firstLevel: number }
const file = process.argv[3] ?? ''
/** An answer that takes longer is a failed one. */
const answerMsMax = 10_000

const { target, perSecond, seconds, firstLevel, varies } = options
const pool = new Pool(target.origin, { connections: 64, pipelining: 1 })
const sent: Sent[] = []
const startedMs = performance.now()
const count = Math.round(perSecond * seconds)
// Connections are open and this process is warm before anything counts.
const early = Math.round(perSecond)
for (let i = 0; i < early + count; i++) {
  const dueMs = startedMs + (i * 1_000) / perSecond
  while (performance.now() < dueMs) await delay(1)
  void ask(target, { level: varies ? levelAt(firstLevel + i) : 80, dueMs, counts: i >= early })
}
const last = performance.now()
while (sent.length < count && performance.now() - last < answerMsMax) await delay(10)
await writeFile(file, JSON.stringify(sent))
process.exit(0)

async function ask(
  { method, path, body, headers }: Target,
  { level, dueMs, counts }: { level: number; dueMs: number; counts: boolean },
) {
  const atMs = performance.now()
  let status = 0
  try {
    const answer = await pool.request({
      method,
      path: path.replace('LEVEL', String(level)),
      headers: { ...headers },
      body: body === '' ? null : body.replace('LEVEL', String(level)),
      headersTimeout: answerMsMax,
      bodyTimeout: answerMsMax,
    })
    await answer.body.arrayBuffer()
    status = answer.statusCode
  } catch {
    // A request without an answer has the status 0.
  }
  if (!counts) return
  const lateMs = atMs - dueMs
  sent.push({
    atMs: performance.timeOrigin + atMs,
    tookMs: performance.now() - atMs,
    lateMs,
    status,
  })
}
