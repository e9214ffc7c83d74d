import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { quantile } from '../../statistics.ts'
import { type Target, takeLevels } from '../target.ts'

export type SteadyOptions = {
  readonly target: Target
  readonly perSecond: number
  readonly seconds: number
  /** Whether each request asks for another level, so that its answer has to be computed. */
  readonly varies: boolean
}

/** One request: when it went out, by the wall clock, and what came of it. */
export type Sent = {
  readonly atMs: number
  readonly tookMs: number
  /** How late the generator was: what it says about others counts only while this is small. */
  readonly lateMs: number
  /** Of HTTP; 0 without an answer. */
  readonly status: number
}

const run = promisify(execFile)
let files = 0

/**
 * A steady rate for some seconds from a process of its own, after one that does not count; resolves
 * with every request.
 */
export async function steady(
  options: SteadyOptions,
  place: {
    readonly folder: string
    readonly cores: string
    /** Whether nobody else needs them. */
    readonly hasOwnCore?: boolean
  },
): Promise<readonly Sent[]> {
  const file = join(place.folder, `sent-${files++}.json`)
  const levels = options.varies ? Math.ceil(options.perSecond * (options.seconds + 1)) : 0
  const { hasOwnCore = false } = place
  const given = JSON.stringify({ ...options, firstLevel: takeLevels(levels), hasOwnCore })
  const script = join(import.meta.dirname, 'generator.ts')
  const command = ['-c', place.cores, process.execPath, script, given, file]
  await run('taskset', command, { timeout: (options.seconds + 60) * 1_000 })
  return JSON.parse(await readFile(file, 'utf8')) as Sent[]
}

export function p99Of(sent: readonly Sent[]): number {
  const took = sent.map(({ tookMs }) => tookMs)
  return quantile(took, 0.99)
}

/** How late the latest hundredth was sent, in ms. */
export function lateOf(sent: readonly Sent[]): number {
  const late = sent.map(({ lateMs }) => lateMs)
  return quantile(late, 0.99)
}

export function failedOf(sent: readonly Sent[]): number {
  return sent.filter(({ status }) => status !== 200).length
}
