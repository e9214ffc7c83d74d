import { explainModel } from '../facade.ts'
import type { AnyModel } from '../families.ts'
import type { Outcome, Refusal, Series } from '../family.ts'
import { normalQuantile } from '../numeric/normal.ts'
import { studentQuantile } from '../numeric/student.ts'
import { done, refused } from '../outcome.ts'

/** An observation that the model, knowing those before it, did not expect. */
export type Anomaly = {
  readonly at: number
  readonly actual: number
  readonly expected: number
  /** Its distance from what was expected in standard deviations, negative below. */
  readonly score: number
}

export type Anomalies = {
  readonly found: readonly Anomaly[]
  /** In percent: what share of ordinary observations lies within the bounds. */
  readonly level: number
  /** What was expected of each observation from those before it; NaN where there is no fit. */
  readonly expected: Float64Array
  readonly lower: Float64Array
  readonly upper: Float64Array
}

/**
 * The past observations that lie outside of what a model expected one step ahead. The spread of the
 * errors is their median absolute deviation, which the anomalies themselves hardly widen; bounds
 * are those of Student's t. An anomaly moves what is expected after it, so each is looked at again
 * with those before it replaced by what was expected, and what then is ordinary is dropped.
 *
 * @param level in percent, of ordinary observations inside; by default one in 1,000 is outside.
 */
export function findAnomalies(
  model: AnyModel,
  series: Series,
  { level = 99.9 }: { readonly level?: number } = {},
): Outcome<Anomalies> {
  if (!(level > 0 && level < 100)) return refused(wrongLevel)
  const fits = explainModel(model, { series })
  if (fits.kind === 'refused') return fits
  let expected = fits.value.total
  const errors = differences(series.y, expected)
  const spread = robustSpread(errors)
  const limit = spread.sigma * studentQuantile((1 + level / 100) / 2, Math.max(1, spread.count - 1))
  const isOutside = (t: number) => Math.abs(series.y[t]! - expected[t]!) > limit

  let suspects = indices(series.y.length).filter(isOutside)
  for (let round = 0; round < roundsMax && suspects.length > 0; round++) {
    const y = series.y.slice()
    for (const t of suspects) y[t] = expected[t]!
    const again = explainModel(model, { series: { ...series, y } })
    if (again.kind === 'refused') break
    expected = again.value.total
    const kept = suspects.filter(isOutside)
    if (kept.length === suspects.length) break
    suspects = kept
  }
  const found = suspects.map((t) => ({
    at: t,
    actual: series.y[t]!,
    expected: expected[t]!,
    score: (series.y[t]! - expected[t]!) / spread.sigma,
  }))
  return done({
    found,
    level,
    expected,
    lower: expected.map((value) => value - limit),
    upper: expected.map((value) => value + limit),
  })
}

/** Anomalies in a row hide one another no further than this. */
const roundsMax = 8

const wrongLevel: Refusal = {
  code: 'out-of-range',
  detail: 'The level of anomalies lies strictly between 0 and 100 percent.',
  field: '/level',
}

/**
 * The standard deviation that a median absolute deviation from zero stands for. Where more than
 * half of the errors are exactly zero it is the mean absolute one, for a series that hardly ever
 * moves has a spread, too.
 */
function robustSpread(errors: Float64Array): { readonly sigma: number; readonly count: number } {
  const sizes = errors
    .filter((error) => !Number.isNaN(error))
    .map(Math.abs)
    .sort()
  const count = sizes.length
  const middle = (sizes[Math.floor((count - 1) / 2)]! + sizes[Math.floor(count / 2)]!) / 2
  if (middle > 0) return { sigma: middle / normalQuantile(0.75), count }
  const mean = sizes.reduce((sum, size) => sum + size, 0) / count
  return { sigma: mean * Math.sqrt(Math.PI / 2), count }
}

function differences(y: Float64Array, expected: Float64Array): Float64Array {
  return y.map((value, t) => value - expected[t]!)
}

function indices(length: number): number[] {
  return Array.from({ length }, (_, t) => t)
}
