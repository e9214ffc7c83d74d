import { type Errors, finite, noErrors, type StepSums } from './verdict.ts'

/** Sums of the same steps of other series; one of both may be of no series at all. */
export function addSteps(
  these: readonly StepSums[],
  others: readonly StepSums[],
): readonly StepSums[] {
  if (these.length === 0) return others
  return others.length === 0 ? these : these.map((step, h) => plus(step, others[h]!))
}

/** The errors of one step, or of several that were added up: over all series and origins. */
export type PooledErrors = Errors & {
  readonly count: number
  readonly missing: number
  /** Of each level the share of all observations inside. */
  readonly coverage: readonly (number | null)[]
}

export function pooled(sums: StepSums): PooledErrors {
  const { count, missing, scaledCount } = sums
  return {
    ...{ count, missing },
    mase: finite(sums.scaledAbsolute / scaledCount),
    smape: finite(sums.symmetric / count),
    rmse: finite(Math.sqrt(sums.squared / count)),
    mae: finite(sums.absolute / count),
    bias: finite(sums.error / count),
    pinball: finite(sums.pinball / count),
    scaledPinball: finite(sums.scaledPinball / scaledCount),
    coverage: sums.inside.map((inside) => finite(inside / count)),
  }
}

/** Of all steps together; of none a sum of nothing. */
export function sumOfSteps(steps: readonly StepSums[], levels: number): StepSums {
  return steps.reduce(plus, { ...nothing, inside: Array.from({ length: levels }, () => 0) })
}

/** The errors of many series, one after the other, for their mean and their median. */
export type ErrorColumns = { readonly [Name in keyof Errors]: number[] }

export function errorColumns(): ErrorColumns {
  const columns = Object.fromEntries(names.map((name) => [name, [] as number[]]))
  return columns as unknown as ErrorColumns
}

/** Counts one series; what cannot be said of it is in no mean. */
export function addErrors(columns: ErrorColumns, errors: Errors): void {
  for (const name of names) {
    const value = errors[name]
    if (value !== null) columns[name].push(value)
  }
}

/** Each series counts once, however many forecasts it has. Of none: null. */
export function meanErrors(columns: ErrorColumns): Errors {
  return eachOf(columns, (values) => values.reduce((sum, value) => sum + value, 0) / values.length)
}

/** The middle one, or between the two in the middle; costs a look at each a few times. */
export function medianErrors(columns: ErrorColumns): Errors {
  return eachOf(columns, medianOf)
}

function eachOf(columns: ErrorColumns, of: (values: readonly number[]) => number): Errors {
  const said = names.map((name) => [name, finite(of(columns[name]))])
  return { ...noErrors, ...Object.fromEntries(said) }
}

function medianOf(given: readonly number[]): number {
  if (given.length === 0) return Number.NaN
  const values = Float64Array.from(given)
  const upper = Math.floor(values.length / 2)
  const high = select(values, upper)
  if (values.length % 2 === 1) return high
  // Those before the place are none larger.
  let low = values[0]!
  for (let i = 1; i < upper; i++) low = Math.max(low, values[i]!)
  return low + (high - low) / 2
}

/** The value at a place, were they sorted; those before it end up before it (Hoare's FIND). */
function select(values: Float64Array, place: number): number {
  let [left, right] = [0, values.length - 1]
  while (left < right) {
    const pivot = values[(left + right) >>> 1]!
    let [i, j] = [left, right]
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i > j) break
      const kept = values[i]!
      values[i] = values[j]!
      values[j] = kept
      i++
      j--
    }
    if (j < place) left = i
    if (place < i) right = j
  }
  return values[place]!
}

function plus(a: StepSums, b: StepSums): StepSums {
  return {
    count: a.count + b.count,
    missing: a.missing + b.missing,
    error: a.error + b.error,
    absolute: a.absolute + b.absolute,
    squared: a.squared + b.squared,
    symmetric: a.symmetric + b.symmetric,
    pinball: a.pinball + b.pinball,
    scaledCount: a.scaledCount + b.scaledCount,
    scaledAbsolute: a.scaledAbsolute + b.scaledAbsolute,
    scaledPinball: a.scaledPinball + b.scaledPinball,
    inside: a.inside.map((inside, level) => inside + (b.inside[level] ?? 0)),
  }
}

const nothing = {
  ...{ count: 0, missing: 0, error: 0, absolute: 0, squared: 0, symmetric: 0, pinball: 0 },
  ...{ scaledCount: 0, scaledAbsolute: 0, scaledPinball: 0 },
}

const names = Object.keys(noErrors) as readonly (keyof Errors)[]
