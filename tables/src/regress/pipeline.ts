import { type Outcome, refused } from '../fault.ts'
import { limits } from '../limits.ts'
import {
  type Categories,
  learnCategories,
  makeAssemble,
  numberOfText,
  type Unusable,
} from './assemble.ts'
import { type ForestModel, fitForest, predictForest } from './forest.ts'
import { columnsOf, fitLinear, type LinearModel, predictLinear } from './linear.ts'
import type { RegressionRow, RegressionSpec } from './spec.ts'

/** A fitted pipeline; it is JSON. */
export type RegressionModel = {
  readonly spec: RegressionSpec
  readonly categories: Categories
  readonly fitted: LinearModel | ForestModel
  /** Rows that it was fitted on, and those that were passed over, as their target was no number. */
  readonly rows: number
  readonly unusable: number
}

/** Learns categories, assembles features and fits a model; or says why that cannot be. */
export function fitRegression(
  spec: RegressionSpec,
  given: readonly RegressionRow[],
): Outcome<RegressionModel> {
  const rows = given.filter((row) => numberOfText(row.get(spec.target)) !== undefined)
  const targets = Float64Array.from(rows, (row) => numberOfText(row.get(spec.target))!)
  const categories = learnCategories(spec.features, rows, targets)
  const assemble = makeAssemble(spec.features, categories)
  const numbers: Float64Array[] = []
  const known: number[] = []
  for (const [i, row] of rows.entries()) {
    const assembled = assemble(row)
    if (!(assembled instanceof Float64Array)) continue
    numbers.push(assembled)
    known.push(targets[i]!)
  }
  if (numbers.length < 2)
    return refused({
      field: '/features',
      detail: `Of ${given.length} rows ${numbers.length} have a target and all features.`,
      remedy: 'Check their columns, and which of them are numbers.',
    })
  const widths = widthsOf(spec, categories)
  const columns = columnsOf(widths)
  if (spec.model.kind === 'linear' && columns > limits.linearColumnsMax)
    return refused({
      field: '/features',
      detail: `With a column for each category there are ${columns}.`,
      remedy: `Fit a forest, or use at most ${limits.linearColumnsMax} categories.`,
    })
  const y = Float64Array.from(known)
  const fitted =
    spec.model.kind === 'linear' ? fitLinear(numbers, y, widths) : fitForest(numbers, y, spec.model)
  const unusable = given.length - numbers.length
  return { kind: 'done', value: { spec, categories, fitted, rows: numbers.length, unusable } }
}

export type Predict = (row: RegressionRow) => number | Unusable

/** Predicts rows, each for itself: one that cannot be predicted says why. */
export function makePredict({ spec, categories, fitted }: RegressionModel): Predict {
  const assemble = makeAssemble(spec.features, categories)
  const widths = widthsOf(spec, categories)
  return (row) => {
    const numbers = assemble(row)
    if (!(numbers instanceof Float64Array)) return numbers
    return fitted.kind === 'linear'
      ? predictLinear(fitted, numbers, widths)
      : predictForest(fitted, numbers)
  }
}

/** How many categories each feature has; 0 of those that are numbers. */
function widthsOf({ features }: RegressionSpec, categories: Categories): readonly number[] {
  return features.map(({ column, type }) => (type === 'category' ? categories[column]!.length : 0))
}
