import { describedSeries, fitModel, forecastModel, parseSpec } from '@almanac/engine'
import { smallSeries, smallSpec, temperatures } from '../../e2e/support/data.ts'
import { bounds } from '../../model-api/src/config/bounds.ts'
import { seedOf } from '../../model-api/src/fitting/seed.ts'
import { digestOf } from './digest.ts'

/**
 * Data by name, so that a history need not hold them: `small-17` is fitted in milliseconds,
 * `slow-3` in about a second. The number is a level, so that no two of them forecast the same.
 */
export function fitBodyOf(name: string): { readonly data: readonly number[]; spec?: unknown } {
  const { kind, number } = partsOf(name)
  if (kind === 'small') return { data: smallSeries(number), spec: smallSpec }
  return { data: temperatures.map((value) => value + number) }
}

/** A version that was fitted to these data. */
export type Fitted = { readonly model: string; readonly version: number; readonly data: string }

/**
 * The digest of what such a version forecasts, points alone; computed here, by the engine and
 * nothing else. Undefined for slow data, which are not fitted again only to compare.
 */
export function expectedPointsDigest(fitted: Fitted, horizon: number): string | undefined {
  if (partsOf(fitted.data).kind === 'slow') return undefined
  const outcome = forecastModel(modelOf(fitted), { horizon, quantiles: new Float64Array() })
  if (outcome.kind === 'refused')
    throw new Error(`no forecast of ${fitted.data}: ${outcome.reason.detail}`)
  return digestOf(`{"data":[${[...outcome.value.point].map(String).join(',')}]`)
}

type Model = Parameters<typeof forecastModel>[0]
const models = new Map<string, Model>()
/** A bound on what a long run keeps: fitting again costs milliseconds. */
const modelsMax = 2_000

function modelOf({ model, version, data }: Fitted): Model {
  const name = `${model} ${version} ${data}`
  const known = models.get(name)
  if (known) return known
  const { data: y, spec } = fitBodyOf(data)
  const parsed = parseSpec(spec)
  if (parsed.kind === 'refused') throw new Error(`no spec of ${data}: ${parsed.reason.detail}`)
  const series = describedSeries({ y, frequency: null, start: null })
  // As a node does it, whichever it is.
  const run = { seed: seedOf({ tenant: 'default', model }, version), workMax: bounds.fitWorkMax }
  const fitted = fitModel(series, parsed.value, run)
  if (fitted.kind === 'refused') throw new Error(`no model of ${data}: ${fitted.reason.detail}`)
  if (models.size >= modelsMax) models.clear()
  models.set(name, fitted.value)
  return fitted.value
}

function partsOf(name: string): { readonly kind: 'small' | 'slow'; readonly number: number } {
  const [, kind, number] = /^(small|slow)-(\d{1,9})$/.exec(name) ?? []
  if (kind !== 'small' && kind !== 'slow') throw new Error(`there are no data named ${name}`)
  return { kind, number: Number(number) }
}
