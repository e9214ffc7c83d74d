import type { Ask, Columns, Refusal, Series } from '../../family.ts'
import { boxCox, boxCoxFault } from '../../series/box-cox.ts'
import { guerreroLambda } from '../../series/box-cox-lambda.ts'
import { checkValues } from '../../series/check.ts'
import { fourierColumns, fourierNames } from '../../series/fourier.ts'
import type { ArimaModel } from '../model.ts'
import type { ArimaSpec } from '../spec.ts'

/**
 * A spec with its λ settled and its Fourier columns among the regressors: what the rest of the
 * family reads. Settling it again changes nothing.
 */
export function settledSpec(spec: ArimaSpec, series: Series): ArimaSpec {
  const fourier = fourierNames(spec.fourier).filter((name) => !spec.regressors.includes(name))
  const regressors = [...spec.regressors, ...fourier]
  if (spec.boxCox !== 'auto') return { ...spec, regressors }
  const season = spec.seasonLength ?? series.seasons?.[0] ?? 1
  return { ...spec, regressors, boxCox: guerreroLambda(series.y, season, 0, 1) ?? null }
}

/** The transformed series and its Fourier columns, from a step of the series on. */
export function designed(series: Series, spec: ArimaSpec, from: number): Series {
  const { boxCox: lambda, fourier } = spec
  if (lambda === null && fourier.length === 0) return series
  const y = typeof lambda === 'number' ? boxCox(series.y, lambda) : series.y
  if (fourier.length === 0) return { ...series, y }
  return { ...series, y, x: withFourier(series.x, spec, from, y.length) }
}

/** An ask with the Fourier columns of its steps. */
export function designedAsk<A extends Pick<Ask, 'future' | 'horizon'>>(
  ask: A,
  model: ArimaModel,
): A {
  if (model.spec.fourier.length === 0) return ask
  return { ...ask, future: withFourier(ask.future, model.spec, stepsOf(model), ask.horizon) }
}

/** Steps of the series that a model has seen. */
export function stepsOf({ observations, missing }: ArimaModel): number {
  return observations + missing
}

/** Why a series has no Box-Cox transform; undefined when it has, or when none is wanted. */
export function checkTransform({ y }: Series, { boxCox: lambda }: ArimaSpec): Refusal | undefined {
  if (typeof lambda !== 'number') return undefined
  const at = boxCoxFault(y, lambda)
  if (at === undefined) return checkValues(boxCox(y, lambda))
  return {
    code: 'not-positive',
    detail: `Observation ${at} is ${y[at]}, which has no Box-Cox transform with λ = ${lambda}.`,
    field: `/y/${at}`,
    remedy: 'Leave out boxCox, or add a constant to the series.',
  }
}

function withFourier(
  x: Series['x'],
  { fourier }: ArimaSpec,
  from: number,
  length: number,
): Columns {
  const columns = fourierColumns(fourier, from, length)
  const made = fourierNames(fourier).map((name, i) => [name, columns[i]!] as const)
  return { ...x, ...Object.fromEntries(made) }
}
