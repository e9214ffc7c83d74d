import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { wrk } from './wrk.ts'

export type Measured = {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU time of the front process for one request. */
  readonly cpuMicros: number
  /** Bytes of one answer, headers included. */
  readonly bytes: number
}

/** Linux counts CPU time in hundredths of a second. */
const ticksPerSecond = 100

/** One run of wrk, and what it cost the front. */
export async function measure(options: {
  readonly url: string
  readonly pid: number
  readonly core: string
  readonly seconds: number
}): Promise<Measured> {
  const { pid, ...rest } = options
  const before = cpuSeconds(pid)
  const { perSecond, p50Ms, p99Ms, requests, text } = await wrk({ ...rest, graceSeconds: 20 })
  const cpuMicros = ((cpuSeconds(pid) - before) * 1e6) / requests
  return { perSecond, p50Ms, p99Ms, cpuMicros, bytes: transferredBytes(text) / requests }
}

/** Keeps a process, all its threads, to one core. */
export async function pin(pid: number, core: string): Promise<void> {
  await promisify(execFile)('taskset', ['-a', '-p', '-c', core, String(pid)])
}

export function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(0)} – ${Math.max(...values).toFixed(0)}`
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function transferredBytes(stdout: string): number {
  const match = /in [\d.]+\w+, ([\d.]+)(KB|MB|GB) read/.exec(stdout)
  const factor = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }[match?.[2] ?? ''] ?? Number.NaN
  return Number(match?.[1]) * factor
}
