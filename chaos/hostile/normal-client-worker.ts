/**
 * A client that means no harm, in a thread of its own: it asks for forecasts at an even pace, on
 * connections that it keeps and, every fourth time, on a new one.
 */
import { Agent, request } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import type { NormalReport } from './normal-client.ts'

const { host, port, everyMs } = workerData as { host: string; port: number; everyMs: number }

/** What takes longer has failed. */
const patienceMs = 5_000

const kept = new Agent({ keepAlive: true, maxSockets: 16 })
const times: number[] = []
const failures: string[] = []
const open = new Set<Promise<void>>()
let asked = 0

const timer = setInterval(() => {
  const asking = ask(asked)
  asked += 1
  open.add(asking)
  void asking.finally(() => open.delete(asking))
}, everyMs)

parentPort?.once('message', () => void end())

async function end(): Promise<void> {
  clearInterval(timer)
  await Promise.all(open)
  kept.destroy()
  const report: NormalReport = { asked, failures: failures.slice(0, 100), times }
  parentPort?.postMessage(report)
}

function ask(number: number): Promise<void> {
  const startedMs = performance.now()
  const path = `/api/models/kept-${1 + (number % 2)}/forecast/${1 + (number % 50)}`
  const isNew = number % 4 === 3
  return new Promise((resolve) => {
    const done = (fault: string | undefined) => {
      clearTimeout(patience)
      const ms = performance.now() - startedMs
      times.push(ms)
      if (fault) failures.push(`request ${number}, ${Math.round(ms)} ms, ${path}: ${fault}`)
      resolve()
    }
    const sent = request({ host, port, path, agent: isNew ? false : kept }, (answer) => {
      answer.resume()
      answer.on('error', (error) => done(error.message))
      answer.on('end', () => done(answer.statusCode === 200 ? undefined : `${answer.statusCode}`))
    })
    const patience = setTimeout(() => sent.destroy(new Error('no answer')), patienceMs)
    sent.on('error', (error) => done(error.message))
    sent.end()
  })
}
