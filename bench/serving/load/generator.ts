import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { levelAt, requestOf } from '../target.ts'
import { Client } from './client.ts'
import type { Sent, SteadyOptions } from './steady.ts'

/**
 * Sends at a steady rate, whether answers come or not, and writes what it saw: generator.ts
 * OPTIONS FILE. A process of its own, so that nothing else delays it. On a core of its own it never
 * sleeps: a timer is a millisecond late, and two requests at once wait for each other.
 */
const options = JSON.parse(process.argv[2] ?? '') as SteadyOptions & {
  firstLevel: number
  hasOwnCore: boolean
}
const file = process.argv[3] ?? ''
/** An answer that takes longer is a failed one. */
const answerMsMax = 10_000
const connections = 64

const { target, perSecond, seconds, firstLevel, varies, hasOwnCore } = options
const client = new Client(target.origin, connections)
const textOf = requestOf(target)
const sent: Sent[] = []
let open = 0
const startedMs = performance.now()
const count = Math.round(perSecond * seconds)
// Connections are open and this process is warm before anything counts.
const early = Math.round(perSecond)
let next = 0
await sendAll()
const last = performance.now()
while (open > 0 && performance.now() - last < answerMsMax) await delay(10)
await writeFile(file, JSON.stringify(sent))
process.exit(0)

function sendAll(): Promise<void> {
  return new Promise((resolve) => {
    // Without promises, of which this would make a million a second.
    const send = () => {
      for (; next < early + count; next++) {
        const dueMs = startedMs + (next * 1_000) / perSecond
        if (performance.now() < dueMs) return hasOwnCore ? setImmediate(send) : setTimeout(send, 1)
        ask(varies ? levelAt(firstLevel + next) : 80, dueMs, next >= early)
      }
      return resolve()
    }
    send()
  })
}

function ask(level: number, dueMs: number, counts: boolean): void {
  const atMs = performance.now()
  const one = {
    atMs: performance.timeOrigin + atMs,
    tookMs: answerMsMax,
    lateMs: atMs - dueMs,
    status: 0,
  }
  if (counts) sent.push(one)
  open++
  client.ask(textOf(level), (status) => {
    open--
    one.tookMs = performance.now() - atMs
    one.status = status
  })
}
