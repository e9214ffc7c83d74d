import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contestant } from './contest.ts'
import { atMost, type Gate } from './gates.ts'
import type { Split } from './splits.ts'

const horizon = 30
const origins = 24
const root = join(import.meta.dirname, '..', '..')

/** Ten years of daily minimum temperatures in Melbourne, the project's own sample. */
export async function readCoreSeries(): Promise<Float64Array> {
  const file = join(root, 'sample-data', 'melbourne-min-temperatures.json')
  const { data } = JSON.parse(await readFile(file, 'utf8')) as { data: number[] }
  return Float64Array.from(data)
}

/** A month ahead from each of 24 origins, a month apart: the last two years. */
export function coreSplits(y: Float64Array): Split[] {
  return Array.from({ length: origins }, (_, i) => {
    const origin = y.length - (origins - i) * horizon
    return {
      id: `core/${i + 1}`,
      collection: 'core',
      frequency: 'D',
      season: 365,
      seasons: [365],
      dates: { start: '1981-01-01', rule: 'D' },
      horizon,
      train: Array.from(y.slice(0, origin)),
      test: Array.from(y.slice(origin, origin + horizon)),
    }
  })
}

/** The mean absolute error over all origins, ours by Prophet's. */
export function coreGate(contestants: readonly Contestant[], ours: string): Gate {
  const maeOf = (wanted: string) => {
    const scored = contestants.find(({ name }) => name === wanted)?.scored ?? []
    const sum = scored.reduce((total, { scores }) => total + scores.mae, 0)
    return scored.length === origins ? sum / origins : Number.NaN
  }
  const [own, theirs] = [maeOf(ours), maeOf('Prophet')]
  const label = `core series, ${origins} origins: MAE (${own.toFixed(3)}) by Prophet's (${theirs.toFixed(3)})`
  return atMost(label, own / theirs, 1.03)
}
