import type { Ask, Refusal, Series } from './family.ts'
import { limits } from './limits.ts'

/** Faults in the shape of a series that no family has to know of; its values are its family's. */
export function checkShape({ y, x, seasons }: Series): Refusal | undefined {
  if (seasons !== undefined) {
    const valid =
      seasons.length <= limits.seasonsMax &&
      seasons.every(
        (length, i) =>
          Number.isInteger(length) &&
          length > (i === 0 ? 1 : seasons[i - 1]!) &&
          length <= limits.seasonLengthMax,
      )
    if (!valid) {
      const { seasonsMax: most, seasonLengthMax: longest } = limits
      const detail = `Season lengths are at most ${most} whole numbers from 2 to ${longest}, ascending.`
      return { code: 'out-of-range', detail, field: '/seasons' }
    }
  }
  if (x === undefined) return undefined
  const names = Object.keys(x)
  if (names.length > limits.regressorsMax) {
    const detail = `${names.length} regressors are too many; at most ${limits.regressorsMax} are taken.`
    return { code: 'too-many', detail, field: '/x' }
  }
  for (const name of names) {
    const column = x[name]!
    if (column.length !== y.length) {
      const detail = `The regressor ${name} has ${column.length} values, the series ${y.length}.`
      return { code: 'wrong-length', detail, field: `/x/${name}` }
    }
    const at = column.findIndex((value) => !(Math.abs(value) <= limits.magnitudeMax))
    if (at < 0) continue
    const detail = `Value ${at} of the regressor ${name} is not a number up to ${limits.magnitudeMax}.`
    return { code: 'not-finite', detail, field: `/x/${name}/${at}` }
  }
  return undefined
}

export function checkAsk({ horizon, quantiles, bounds }: Ask): Refusal | undefined {
  if (!Number.isInteger(horizon) || horizon < 1 || horizon > limits.horizonMax) {
    const detail = `The horizon has to be a whole number from 1 to ${limits.horizonMax}.`
    return { code: 'out-of-range', detail, field: '/horizon' }
  }
  const valid =
    quantiles.length <= limits.quantilesMax &&
    quantiles.every((value, i) => value > (i === 0 ? 0 : quantiles[i - 1]!) && value < 1)
  if (!valid) {
    const most = limits.quantilesMax
    const detail = `Quantiles have to ascend strictly between 0 and 1, at most ${most}.`
    return { code: 'out-of-range', detail, field: '/quantiles' }
  }
  const { lower = Number.NEGATIVE_INFINITY, upper = Number.POSITIVE_INFINITY } = bounds ?? {}
  if (lower <= upper) return undefined
  return { code: 'out-of-range', detail: 'The lower bound is above the upper.', field: '/bounds' }
}

export function checkPaths(paths: number, horizon: number): Refusal | undefined {
  const most = Math.floor(limits.simulatedMax / horizon)
  if (Number.isInteger(paths) && paths >= 1 && paths <= most) return undefined
  const detail = `The number of paths has to be a whole number from 1 to ${most}.`
  return { code: 'out-of-range', detail, field: '/paths' }
}

/**
 * The columns of the regressors of a model over a horizon, or the refusal of one that is missing.
 */
export function futureColumns(
  names: readonly string[],
  { future = {}, horizon }: Pick<Ask, 'future' | 'horizon'>,
): { readonly columns: readonly Float64Array[] } | { readonly refusal: Refusal } {
  const columns: Float64Array[] = []
  for (const name of names) {
    const column = Object.hasOwn(future, name) ? future[name] : undefined
    if (column === undefined || column.length < horizon) {
      const has = column === undefined ? 'no values' : `only ${column.length} values`
      return {
        refusal: {
          code: 'missing-regressor',
          detail: `The regressor ${name} has ${has} for the ${horizon} steps of the forecast.`,
          field: `/future/${name}`,
          remedy: `Send ${horizon} values of each of: ${names.join(', ')}.`,
        },
      }
    }
    const values = column.subarray(0, horizon)
    const at = values.findIndex((value) => !(Math.abs(value) <= limits.magnitudeMax))
    if (at >= 0) {
      const detail = `Value ${at} of the regressor ${name} is not a number up to ${limits.magnitudeMax}.`
      return { refusal: { code: 'not-finite', detail, field: `/future/${name}/${at}` } }
    }
    columns.push(values)
  }
  return { columns }
}
