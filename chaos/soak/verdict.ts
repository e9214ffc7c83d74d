import type { ExperimentResult } from '../experiment.ts'
import { slopeOf } from './slope.ts'
import type { MachineVitals, ProcessVitals } from './vitals.ts'

export type Sample = {
  readonly atSeconds: number
  readonly cycles: number
  readonly inside: MachineVitals
  readonly outside: ProcessVitals
  readonly rows: Readonly<Record<string, number>>
  /** Coordinator, then store. */
  readonly fileMb: readonly number[]
}

/** Before this share of a run, and so many cycles, things fill up to their bounds. */
const warmUpShare = 0.3
const warmUpCycles = 1_300
const slopeMaxMb = 1
/** A slope that is not known better than this says nothing. */
const marginMaxMb = 3
/** Fewer samples have no slope worth the name. */
const samplesMin = 20
const spanSeconds = 600
const megabyte = 1_048_576

/** Whether what was watched stayed flat. Growth is told only when it is more than noise. */
export function verdictOf(all: readonly Sample[]): ExperimentResult {
  const fromSeconds = warmUpShare * (all.at(-1)?.atSeconds ?? 0)
  const steady = all.filter(
    ({ atSeconds, cycles }) => atSeconds >= fromSeconds && cycles >= warmUpCycles,
  )
  const first = steady[0]
  const last = steady.at(-1)
  if (first === undefined || last === undefined || steady.length < samplesMin)
    return { violations: [`only ${steady.length} samples after the warm-up`], figures: {} }
  const violations: string[] = []
  const figures: Record<string, number | string> = {
    cycles: last.cycles,
    minutes: round(last.atSeconds / 60),
    samples: steady.length,
    rssMb: `${round(first.outside.rssMb)} to ${round(last.outside.rssMb)}`,
  }
  for (const [name, of] of memories) {
    const { slope, margin } = slopeOf(
      steady.map((each) => [each.atSeconds / spanSeconds, of(each)]),
    )
    figures[`${name}SlopeMbIn10Min`] = `${round(slope)} ± ${round(margin)}`
    if (slope - margin > slopeMaxMb)
      violations.push(`${name} grows by ${round(slope)} ± ${round(margin)} MB in 10 minutes`)
    if (margin > marginMaxMb) violations.push(`${name}: ± ${round(margin)} MB says nothing`)
  }
  for (const [name, tolerance, of] of counts) {
    const [before, after] = halves(steady).map((half) => Math.max(...half.map(of)))
    figures[name] = `${before} to ${after}`
    if (after! > before! * 1.1 + tolerance)
      violations.push(`${name} grew from ${before} to ${after}`)
  }
  const archived = (each: Sample) =>
    (each.rows.jobRecords ?? 0) + (each.rows.versionRecords ?? 0) + (each.rows.logRecords ?? 0)
  const cycles = last.cycles - first.cycles
  figures.archivedRecordsPerCycle = round((archived(last) - archived(first)) / cycles)
  figures.fileMb = `${first.fileMb.map(round)} to ${last.fileMb.map(round)}`
  return { violations, figures }
}

const memories = [
  ['rss', (each: Sample) => each.outside.rssMb],
  ['heap', ({ inside }: Sample) => inside.heapBytes / megabyte],
  ['external', ({ inside }: Sample) => inside.externalBytes / megabyte],
] as const

/** Highest value of each half of the steady part may differ by a tenth and this. */
const counts: readonly (readonly [string, number, (each: Sample) => number])[] = [
  ['handles', 10, ({ inside }) => inside.handles],
  ['descriptors', 10, ({ outside }) => outside.descriptors],
  ['threads', 2, ({ outside }) => outside.threads],
  ...['model', 'counter', 'version', 'log', 'job', 'claim', 'node', 'node-model', 'request'].map(
    (kind) => [`keys/${kind}`, 20, ({ inside }: Sample) => inside.keys[kind] ?? 0] as const,
  ),
  ['blobRows', 100, ({ rows }) => rows.blobs ?? 0],
  ['chunkRows', 100, ({ rows }) => rows.chunks ?? 0],
]

function halves(samples: readonly Sample[]): (readonly Sample[])[] {
  const middle = Math.ceil(samples.length / 2)
  return [samples.slice(0, middle), samples.slice(middle)]
}

const round = (value: number) => Math.round(value * 100) / 100
