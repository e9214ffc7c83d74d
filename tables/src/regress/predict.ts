import type { Bounds } from '@almanac/engine'
import { type Categories, makeAssemble, type Unusable } from './assemble.ts'
import { type ForestModel, predictForest } from './forest.ts'
import { type LinearModel, predictLinear } from './linear.ts'
import type { RegressionRow, RegressionSpec } from './spec.ts'

/** A fitted pipeline. */
export type RegressionModel = {
  readonly spec: RegressionSpec
  readonly categories: Categories
  readonly fitted: LinearModel | ForestModel
  /** Rows that it was fitted on, and those that were passed over, as they lacked a number. */
  readonly rows: number
  readonly unusable: number
}

export type Predict = (row: RegressionRow) => number | Unusable

/**
 * Predicts rows, each for itself and within the bounds: one that cannot be predicted says why.
 */
export function makePredict(
  { spec, categories, fitted }: RegressionModel,
  bounds: Bounds = {},
): Predict {
  const { lower = Number.NEGATIVE_INFINITY, upper = Number.POSITIVE_INFINITY } = bounds
  const assemble = makeAssemble(spec.features, categories)
  const widths = widthsOf(categories)
  return (row) => {
    const numbers = assemble(row)
    if (!(numbers instanceof Float64Array)) return numbers
    const prediction =
      fitted.kind === 'linear'
        ? predictLinear(fitted, numbers, widths)
        : predictForest(fitted, numbers)
    return Number.isFinite(prediction)
      ? Math.min(upper, Math.max(lower, prediction))
      : { column: spec.target, reason: tooLarge }
  }
}

const tooLarge = 'what is predicted is too large for a number'

/** How many categories each feature has; 0 of those that are numbers. */
export const widthsOf = (categories: Categories): readonly number[] =>
  categories.map(({ length }) => length)
