import { type Outcome, refused } from '../fault.ts'
import { limits } from '../limits.ts'
import { makeCollector, type Training } from './collect.ts'
import { fitForest } from './fit-forest.ts'
import { fitLinear } from './fit-linear.ts'
import type { ForestModel } from './forest.ts'
import { columnsOf, type LinearModel } from './linear.ts'
import { type RegressionModel, widthsOf } from './predict.ts'
import type { RegressionRow, RegressionSpec } from './spec.ts'

/** Learns categories, assembles features and fits a model; or says why that cannot be. */
export function fitRegression(
  spec: RegressionSpec,
  given: Iterable<RegressionRow>,
): Outcome<RegressionModel> {
  const collector = makeCollector(spec)
  for (const row of given) if (collector.add(row) === 'full') break
  const collected = collector.end()
  if (collected.kind === 'refused') return collected
  const steps = fitTraining(spec, collected.value)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** The same from rows that are numbers already. Yields how far it is, from 0 to 1. */
export function* fitTraining(
  spec: RegressionSpec,
  training: Training,
): Generator<number, Outcome<RegressionModel>> {
  const { targets, categories, unusable } = training
  const fitted = yield* fit(spec, training)
  if (fitted.kind === 'refused') return fitted
  const rows = targets.length
  return { kind: 'done', value: { spec, categories, fitted: fitted.value, rows, unusable } }
}

function* fit(
  spec: RegressionSpec,
  { columns, targets, categories }: Training,
): Generator<number, Outcome<LinearModel | ForestModel>> {
  if (spec.model.kind === 'forest') return yield* fitForest(columns, targets, spec.model)
  const widths = widthsOf(categories)
  const width = columnsOf(widths)
  if (width > limits.linearColumnsMax)
    return refused({
      field: '/features',
      detail: `With a column for each category there are ${width}.`,
      remedy: `Fit a forest, or use at most ${limits.linearColumnsMax} categories.`,
    })
  const rowsMax = Math.floor(limits.linearValuesMax / (width + 1))
  if (targets.length > rowsMax)
    return refused({
      field: '/model',
      detail: `There are ${targets.length} rows; a line through ${width} columns takes ${rowsMax}.`,
      remedy: 'Fit a forest, choose a longer frequency, or use fewer categories.',
    })
  return { kind: 'done', value: fitLinear(columns, targets, widths) }
}
