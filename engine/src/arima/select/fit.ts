import type { Outcome, Run, Series } from '../../family.ts'
import { makeBudget } from '../../numeric/budget.ts'
import { assert } from '../../outcome.ts'
import { fitArima } from '../fit.ts'
import type { ArimaModel } from '../model.ts'
import { regressorColumns } from '../regression.ts'
import { type ArimaSpec, ordersOf } from '../spec.ts'
import { type Choice, chooseOrders, maximaDefault } from './choose.ts'
import { besideOf, nameOf } from './name.ts'

/**
 * Chooses the orders of a designed series and fits them. The model's spec has the orders that were
 * chosen, so that it stands for itself.
 */
export function fitSelected(series: Series, spec: ArimaSpec, run: Run): Outcome<ArimaModel> {
  const { seasonLength } = ordersOf(spec, series)
  const found = regressorColumns(spec.regressors, series.x)
  assert('columns' in found, 'the regressors of a series are checked before a fit')
  const regression = { y: series.y, columns: found.columns }
  const budget = makeBudget(run)
  const choice = chooseOrders(regression, seasonLength, maximaDefault, budget)
  const { orders, search } = choice
  const chosen: ArimaSpec = { ...spec, ...orders, select: false }
  const left = { ...run, workMax: run.workMax - budget.spent() }
  const fitted = fitArima(series, chosen, left, search?.estimate)
  if (fitted.kind === 'refused') return fitted
  const stopped = budget.ended() !== undefined || fitted.kind === 'stopped'
  return {
    kind: stopped ? 'stopped' : 'done',
    value: fitted.value,
    report: {
      ...fitted.report,
      summary: summaryOf(choice, spec),
      ...(search === undefined
        ? {}
        : {
            candidates: search.candidates,
            models: search.models,
            evaluations: search.evaluations,
          }),
    },
  }
}

function summaryOf({ orders, search }: Choice, spec: ArimaSpec): string {
  const why =
    search === undefined
      ? 'nothing varies beyond it.'
      : `the best AICc of ${search.models} models at the differences that the tests call for.`
  return `${nameOf(orders)}${besideOf(spec)}: ${why}`
}
