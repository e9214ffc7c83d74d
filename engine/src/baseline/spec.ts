import type { Outcome, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { oneOf, parseFields, wholeNumber } from '../spec-fields.ts'

/**
 * The benchmarks of Hyndman and Athanasopoulos (2021), Forecasting: Principles and Practice, 3rd
 * edition, sections 5.2 and 5.5, and the average of a window. A spec is plain JSON.
 */
export type BaselineSpec = {
  readonly family: 'baseline'
  readonly method: BaselineMethod
  /** Of the method `window`: how many of the last observations are averaged. */
  readonly window: number
  /** Of the method `seasonal-naive`; null is the first season of the series. */
  readonly seasonLength: number | null
}

type BaselineMethod = (typeof methods)[number]

const methods = ['naive', 'seasonal-naive', 'drift', 'mean', 'window'] as const

/** Checks a user's spec and fills in what it leaves out. */
export function parseBaselineSpec(spec: Readonly<Record<string, unknown>>): Outcome<BaselineSpec> {
  return parseFields('baseline', fields, spec)
}

/** The season that a spec means for a series: 1 where there is none. */
export function seasonOf(spec: BaselineSpec, { seasons }: Series): number {
  return spec.method === 'seasonal-naive' ? (spec.seasonLength ?? seasons?.[0] ?? 1) : 1
}

/** The longest window: what is longer is a mean, and each step costs one look at the window. */
const windowMax = 1_000

const fields = {
  method: oneOf(methods, 'naive'),
  window: wholeNumber(1, windowMax, 4),
  seasonLength: wholeNumber(1, limits.seasonLengthMax, null),
}
