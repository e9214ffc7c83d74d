import type { ExperimentResult } from '../experiment.ts'
import { slopeOf } from './slope.ts'
import type { MachineVitals, ProcessVitals } from './vitals.ts'

export type Sample = {
  readonly atSeconds: number
  readonly cycles: number
  /** Our processes, by name. */
  readonly parts: Readonly<Record<string, Part>>
  /** Keys in the coordinator, by kind. */
  readonly keys: Readonly<Record<string, number>>
  readonly rows: Readonly<Record<string, number>>
  readonly fileMb: Readonly<Record<string, number>>
}

type Part = { readonly inside: MachineVitals; readonly outside: ProcessVitals }

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
  }
  const parts = Object.keys(last.parts)
  for (const part of parts) {
    // With one process there is nothing to tell apart.
    const prefix = parts.length === 1 ? '' : `${part} `
    const of = (each: Sample) => each.parts[part]!
    const [before, after] = [first, last].map((each) => round(of(each).outside.rssMb))
    figures[`${prefix}rssMb`] = `${before} to ${after}`
    for (const [name, value] of memories) {
      const { slope, margin } = slopeOf(
        steady.map((each) => [each.atSeconds / spanSeconds, value(of(each))]),
      )
      figures[`${prefix}${name}SlopeMbIn10Min`] = `${round(slope)} ± ${round(margin)}`
      if (slope - margin > slopeMaxMb)
        violations.push(`${prefix}${name} grows by ${round(slope)} ± ${round(margin)} MB in 10 min`)
      if (margin > marginMaxMb)
        violations.push(`${prefix}${name}: ± ${round(margin)} MB says nothing`)
    }
  }
  for (const [name, tolerance, of] of countsOf(parts)) {
    const [before, after] = halves(steady).map((half) => Math.max(...half.map(of)))
    figures[name] = `${before} to ${after}`
    if (after! > before! * 1.1 + tolerance)
      violations.push(`${name} grew from ${before} to ${after}`)
  }
  const archived = (each: Sample) =>
    (each.rows.jobRecords ?? 0) + (each.rows.versionRecords ?? 0) + (each.rows.logRecords ?? 0)
  const cycles = last.cycles - first.cycles
  figures.archivedRecordsPerCycle = round((archived(last) - archived(first)) / cycles)
  for (const [name, mb] of Object.entries(last.fileMb))
    figures[`${name}FileMb`] = `${round(first.fileMb[name] ?? 0)} to ${round(mb)}`
  return { violations, figures }
}

const memories = [
  ['rss', ({ outside }: Part) => outside.rssMb],
  ['heap', ({ inside }: Part) => inside.heapBytes / megabyte],
  ['external', ({ inside }: Part) => inside.externalBytes / megabyte],
] as const

type Count = readonly [name: string, tolerance: number, of: (each: Sample) => number]

/** Highest value of each half of the steady part may differ by a tenth and this. */
function countsOf(parts: readonly string[]): readonly Count[] {
  const kinds = [
    ...['model', 'counter', 'version', 'log', 'job'],
    ...['claim', 'node', 'node-model', 'request'],
  ]
  return [
    ...parts.flatMap((part): Count[] => {
      const prefix = parts.length === 1 ? '' : `${part} `
      const of = (each: Sample) => each.parts[part]!
      return [
        [`${prefix}handles`, 10, (each) => of(each).inside.handles],
        [`${prefix}descriptors`, 10, (each) => of(each).outside.descriptors],
        [`${prefix}threads`, 2, (each) => of(each).outside.threads],
      ]
    }),
    ...kinds.map((kind): Count => [`keys/${kind}`, 20, ({ keys }) => keys[kind] ?? 0]),
    ['blobRows', 100, ({ rows }) => rows.blobs ?? 0],
    ['chunkRows', 100, ({ rows }) => rows.chunks ?? 0],
  ]
}

function halves(samples: readonly Sample[]): (readonly Sample[])[] {
  const middle = Math.ceil(samples.length / 2)
  return [samples.slice(0, middle), samples.slice(middle)]
}

const round = (value: number) => Math.round(value * 100) / 100
