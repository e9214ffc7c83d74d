import { writeFile } from 'node:fs/promises'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { countExternalMemory } from '@almanac/shared'
import { type Dispatcher, Pool } from 'undici'
import { levelAt, type Target } from '../target.ts'
import type { Sent, SteadyOptions } from './steady.ts'

/**
 * Sends at a steady rate, whether answers come or not, and writes what it saw: generator.ts
 * OPTIONS FILE. A process of its own, so that nothing else delays it. On a core of its own it never
 * sleeps: a timer is a millisecond late, and two requests at once wait for each other.
 */
// Else full collections of this process are taken for slow answers.
countExternalMemory()
const options = JSON.parse(process.argv[2] ?? '') as SteadyOptions & {
  firstLevel: number
  hasOwnCore: boolean
}
const file = process.argv[3] ?? ''
/** An answer that takes longer is a failed one. */
const answerMsMax = 10_000

/** Sees one answer come in, whose bytes nobody wants. */
class Watch implements Dispatcher.DispatchHandler {
  readonly dueMs: number
  readonly counts: boolean
  readonly atMs = performance.now()
  #status = 0
  constructor(dueMs: number, counts: boolean) {
    this.dueMs = dueMs
    this.counts = counts
  }
  onRequestStart(): void {}
  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status
  }
  onResponseData(): void {}
  onResponseEnd(): void {
    this.#note(this.#status)
  }
  onResponseError(): void {
    // A request without an answer has the status 0.
    this.#note(0)
  }
  #note(status: number): void {
    if (!this.counts) return
    const { atMs, dueMs } = this
    const tookMs = performance.now() - atMs
    sent.push({ atMs: performance.timeOrigin + atMs, tookMs, lateMs: atMs - dueMs, status })
  }
}

const { target, perSecond, seconds, firstLevel, varies, hasOwnCore } = options
const pool = new Pool(target.origin, { connections: 64, pipelining: 1 })
const sent: Sent[] = []
const startedMs = performance.now()
const count = Math.round(perSecond * seconds)
// Connections are open and this process is warm before anything counts.
const early = Math.round(perSecond)
for (let i = 0; i < early + count; i++) {
  const dueMs = startedMs + (i * 1_000) / perSecond
  while (performance.now() < dueMs) await (hasOwnCore ? turn() : delay(1))
  ask(target, { level: varies ? levelAt(firstLevel + i) : 80, dueMs, counts: i >= early })
}
const last = performance.now()
while (sent.length < count && performance.now() - last < answerMsMax) await delay(10)
await writeFile(file, JSON.stringify(sent))
process.exit(0)

function ask(
  { method, path, body, headers }: Target,
  { level, dueMs, counts }: { level: number; dueMs: number; counts: boolean },
): void {
  const filled = (text: string) => text.replace('LEVEL', String(level))
  const options = {
    method,
    path: filled(path),
    body: body === '' ? null : filled(body),
    headers: { ...headers },
    headersTimeout: answerMsMax,
    bodyTimeout: answerMsMax,
  }
  pool.dispatch(options, new Watch(dueMs, counts))
}
