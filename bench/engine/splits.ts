import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Calendar, Series } from '../../engine/src/index.ts'

/** A series that is cut in two: what a model may see, and what it has to forecast. */
export type Split = {
  readonly id: string
  readonly collection: string
  readonly frequency: string
  readonly season: number
  readonly seasons: readonly number[]
  readonly dates: { readonly start: string; readonly rule: string }
  readonly horizon: number
  readonly train: readonly number[]
  /** Missing values are null. */
  readonly test: readonly (number | null)[]
}

/** What a peer made of a split; bounds by level in percent. */
export type PeerResult = {
  readonly id: string
  readonly model: string
  /** `ok`, or why there is no forecast. */
  readonly status: string
  readonly cpuSeconds: number
  readonly point?: readonly number[]
  readonly lower?: Readonly<Record<string, readonly number[]>>
  readonly upper?: Readonly<Record<string, readonly number[]>>
}

export async function readSplits(file: string): Promise<Split[]> {
  return readLines<Split>(file)
}

export async function readResults(files: readonly string[]): Promise<PeerResult[]> {
  const read = await Promise.all(files.map((file) => readLines<PeerResult>(file)))
  return read.flat()
}

export async function resultFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names.filter((name) => /^results-.*\.jsonl$/.test(name)).map((name) => join(folder, name))
}

/** Every n-th split of each collection and frequency: a sample that holds all of them. */
export function everyNth(splits: readonly Split[], every: number): Split[] {
  const seen = new Map<string, number>()
  return splits.filter(({ collection, frequency }) => {
    const group = `${collection}/${frequency}`
    const place = seen.get(group) ?? 0
    seen.set(group, place + 1)
    return place % every === 0
  })
}

export function trainSeries(split: Split): Series {
  return {
    y: Float64Array.from(split.train),
    seasons: split.seasons,
    calendar: calendarOf(split.dates),
    key: split.id,
  }
}

/** Missing values are NaN. */
export function testValues(split: Split): Float64Array {
  return Float64Array.from(split.test, (value) => value ?? Number.NaN)
}

/** The calendar of a start and a step as pandas names them. */
function calendarOf({ start, rule }: Split['dates']): Calendar {
  const instant = Date.parse(start.length === 10 ? start : `${start.replace(' ', 'T')}Z`)
  const step = steps[rule]
  if (step === undefined || Number.isNaN(instant)) throw new Error(`no calendar: ${start} ${rule}`)
  return { start: instant, step }
}

const steps: Readonly<Record<string, Calendar['step']>> = {
  YS: { kind: 'calendar', unit: 'year', count: 1 },
  QS: { kind: 'calendar', unit: 'quarter', count: 1 },
  MS: { kind: 'calendar', unit: 'month', count: 1 },
  W: { kind: 'calendar', unit: 'week', count: 1 },
  '7D': { kind: 'calendar', unit: 'week', count: 1 },
  D: { kind: 'calendar', unit: 'day', count: 1 },
  h: { kind: 'fixed', ms: 3_600_000 },
  '30min': { kind: 'fixed', ms: 1_800_000 },
}

async function readLines<T>(file: string): Promise<T[]> {
  // What follows the last line end is nothing, or a line that is still being written.
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as T)
}
