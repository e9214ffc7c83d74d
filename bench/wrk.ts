import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export type Wrk = {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly requests: number
  /** All that it printed. */
  readonly text: string
}

const run = promisify(execFile)

/** One run of wrk with 32 connections, pinned to `core`; any answer but 2xx is an error. */
export async function wrk(options: {
  readonly url: string
  readonly core: string
  readonly seconds: number
  /** For its start and for answers that are late. */
  readonly graceSeconds: number
  readonly more?: readonly string[]
}): Promise<Wrk> {
  const { url, core, seconds, graceSeconds, more = [] } = options
  const { stdout: text } = await run(
    'taskset',
    ['-c', core, 'wrk', '-t1', '-c32', `-d${seconds}s`, '--latency', ...more, url],
    { timeout: (seconds + graceSeconds) * 1_000 },
  )
  const requests = Number(/(\d+) requests in/.exec(text)?.[1])
  if (/Non-2xx|Socket errors/.test(text) || !(requests > 0))
    throw new Error(`not every request to ${url} was answered:\n${text}`)
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    p50Ms: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(text)),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(text)),
    requests,
    text,
  }
}

function milliseconds(match: RegExpExecArray | null): number {
  const factor = { us: 0.001, ms: 1, s: 1_000 }[match?.[2] ?? ''] ?? Number.NaN
  return Number(match?.[1]) * factor
}
