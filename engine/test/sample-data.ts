import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Daily minimum temperatures in Melbourne, 1981 to 1990, in °C: 3,650 values. */
export function readSampleData(): Float64Array {
  const url = new URL('../../sample-data/melbourne-min-temperatures.json', import.meta.url)
  const { data } = JSON.parse(readFileSync(fileURLToPath(url), 'utf8')) as { data: number[] }
  return Float64Array.from(data)
}

/** Its difference to the year before. */
export function readSampleDifference(): Float64Array {
  const y = readSampleData()
  return y.slice(365).map((value, i) => value - y[i]!)
}
