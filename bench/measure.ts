import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'

export type Measured = {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU time of the front process for one request. */
  readonly cpuMicros: number
  /** Bytes of one answer, headers included. */
  readonly bytes: number
}

const run = promisify(execFile)
/** Linux counts CPU time in hundredths of a second. */
const ticksPerSecond = 100

/** One run of wrk with 32 connections, pinned to `core`; any answer but 2xx is an error. */
export async function measure(options: {
  readonly url: string
  readonly pid: number
  readonly core: string
  readonly seconds: number
}): Promise<Measured> {
  const { url, pid, core, seconds } = options
  const before = cpuSeconds(pid)
  const { stdout } = await run(
    'taskset',
    ['-c', core, 'wrk', '-t1', '-c32', `-d${seconds}s`, '--latency', url],
    { timeout: (seconds + 20) * 1_000 },
  )
  const cpu = cpuSeconds(pid) - before
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  if (/Non-2xx|Socket errors/.test(stdout) || !(requests > 0))
    throw new Error(`not every request to ${url} was answered:\n${stdout}`)
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    cpuMicros: (cpu * 1e6) / requests,
    bytes: transferredBytes(stdout) / requests,
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}

export function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(0)} – ${Math.max(...values).toFixed(0)}`
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function milliseconds(match: RegExpExecArray | null): number {
  const factor = { us: 0.001, ms: 1, s: 1_000 }[match?.[2] ?? ''] ?? Number.NaN
  return Number(match?.[1]) * factor
}

function transferredBytes(stdout: string): number {
  const match = /in [\d.]+\w+, ([\d.]+)(KB|MB|GB) read/.exec(stdout)
  const factor = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }[match?.[2] ?? ''] ?? Number.NaN
  return Number(match?.[1]) * factor
}
