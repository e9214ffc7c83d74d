import type { Bounds, Outcome, Refusal } from './family.ts'
import { limits } from './limits.ts'
import { done, refused } from './outcome.ts'

const fields = ['lower', 'upper']

/**
 * A user's bounds of forecasts, checked: a lower, an upper, or both with the lower below the upper.
 * Refusals name the field within them.
 */
export function parseBounds(given: unknown): Outcome<Bounds> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return wrong('wrong-type', 'Bounds have to be an object.')
  const stranger = Object.keys(given).find((name) => !fields.includes(name))
  if (stranger !== undefined) {
    const named = stranger.slice(0, 100)
    return wrong('unknown-field', `Bounds have no ${JSON.stringify(named)}.`, `/${named}`)
  }
  const { lower, upper } = given as { readonly [name: string]: unknown }
  if (lower === undefined && upper === undefined)
    return wrong('out-of-range', 'Bounds have neither a lower nor an upper.')
  for (const [name, value] of Object.entries({ lower, upper })) {
    if (value === undefined) continue
    if (typeof value !== 'number')
      return wrong('wrong-type', `${name} has to be a number.`, `/${name}`)
    if (!(Math.abs(value) <= limits.magnitudeMax)) {
      const detail = `${name} has to be a number up to ${limits.magnitudeMax}.`
      return wrong('out-of-range', detail, `/${name}`)
    }
  }
  const bounds = given as Bounds
  if (bounds.lower !== undefined && bounds.upper !== undefined && bounds.lower >= bounds.upper)
    return wrong('out-of-range', 'lower has to be below upper.', '/lower')
  return done(bounds)
}

function wrong(code: string, detail: string, field = ''): Outcome<never> {
  const remedy = 'Write them like {"lower": 0}, {"upper": 100}, or both; leave out what has none.'
  return refused({ code, detail, field, remedy })
}

/** The first observation that lies outside; missing ones (NaN, null) lie nowhere. */
export function checkWithin(
  y: ArrayLike<number | null>,
  { lower = Number.NEGATIVE_INFINITY, upper = Number.POSITIVE_INFINITY }: Bounds,
): Refusal | undefined {
  for (let at = 0; at < y.length; at++) {
    const value = y[at] ?? Number.NaN
    if (!(value < lower || value > upper)) continue
    const where =
      value < lower ? `below the lower bound ${lower}` : `above the upper bound ${upper}`
    const detail = `Observation ${at} is ${value}, ${where}.`
    return { code: 'out-of-bounds', detail, field: `/y/${at}` }
  }
  return undefined
}

/** The values, each as near as the bounds allow; the same array where all lie within. */
export function keptWithin(values: Float64Array, bounds: Bounds): Float64Array {
  const { lower = Number.NEGATIVE_INFINITY, upper = Number.POSITIVE_INFINITY } = bounds
  if (values.every((value) => value >= lower && value <= upper)) return values
  return values.map((value) => Math.min(upper, Math.max(lower, value)))
}

/**
 * `keptWithin` for the forecasts of one model, which begin one another: those that were in the same
 * memory before are so afterwards.
 */
export function keeperWithin(bounds: Bounds): (point: Float64Array) => Float64Array {
  let known: Float64Array = new Float64Array(0)
  let kept: Float64Array = known
  return (point) => {
    const isKnown = point.buffer === known.buffer && point.byteOffset === known.byteOffset
    if (!isKnown || point.length > known.length) {
      known = point
      kept = keptWithin(point, bounds)
    }
    return kept.subarray(0, point.length)
  }
}
