import type { Dataset } from '@almanac/shared'

export type FitSeries = Dataset['series'][number]

/**
 * The series of a stored data set, or what is wrong with it. By hand and not by its schema: the
 * fitting thread would load a validator and all of `shared` for it, a third of a second of work and
 * tens of MB in every thread. A test holds it to the schema.
 */
export function readDataset(bytes: Uint8Array): FitSeries | { readonly fault: string } {
  let value: Partial<Dataset> | null
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return { fault: 'not JSON' }
  }
  if (typeof value !== 'object' || value === null) return { fault: 'not a data set' }
  if (value.format !== 1) return { fault: `the format is ${JSON.stringify(value.format)}, not 1` }
  if (!Array.isArray(value.series) || value.series.length !== 1)
    return { fault: 'it has not exactly one series' }
  const [series] = value.series
  if (typeof series !== 'object' || series === null) return { fault: 'its series is none' }
  const { key, start, frequency, timezone = null, y } = series
  if (!isText(key, 200) || !isText(start, 40) || !isText(frequency, 20) || !isText(timezone, 64))
    return { fault: 'key, start, frequency and timezone are short texts or null' }
  if (!Array.isArray(y) || !y.every((value) => value === null || Number.isFinite(value)))
    return { fault: 'y is numbers and nulls' }
  return series
}

function isText(value: unknown, lengthMax: number): boolean {
  return value === null || (typeof value === 'string' && value.length <= lengthMax)
}
