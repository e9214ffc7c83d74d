import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const file = join(import.meta.dirname, '../../sample-data/melbourne-min-temperatures.json')

/** 3,650 daily minimum temperatures: the series that ships with the project. */
export const temperatures: readonly number[] = (
  JSON.parse(readFileSync(file, 'utf8')) as { data: number[] }
).data

/** A short model, for tests that fit often. */
export const smallSpec = { family: 'arima', p: 1, d: 0, q: 0, differenceLag: 7, constant: false }

/** A weekly pattern with some noise around `level`, which tells whose forecast it is. */
export function smallSeries(level: number, length = 120): number[] {
  return Array.from({ length }, (_, t) => {
    const noise = Math.sin(t * 12.9898) * 43_758.5453
    return level + 3 * Math.sin((2 * Math.PI * t) / 7) + (noise - Math.floor(noise) - 0.5)
  })
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

export function correlation(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  for (const [i, x] of a.entries()) {
    const y = b[i] as number
    ab += (x - ma) * (y - mb)
    aa += (x - ma) ** 2
    bb += (y - mb) ** 2
  }
  return ab / Math.sqrt(aa * bb)
}
