import { keeperWithin } from './bounds.ts'
import { checkAsk, checkPaths, checkShape } from './check-input.ts'
import { badFormat, claimedFamily } from './codec/container.ts'
import { type AnyModel, type AnySpec, defaultSpec, families } from './families.ts'
import type {
  Ask,
  Components,
  Explained,
  Family,
  Forecast,
  Outcome,
  Plan,
  Prepared,
  Refusal,
  Run,
  Series,
} from './family.ts'
import { areFinite } from './numeric/finite.ts'
import { assert, done, refused } from './outcome.ts'
import { preparedBy } from './prepared.ts'
import { settleForecast } from './settle-forecast.ts'

/** A user's spec, checked and complete; without one the default. */
export function parseSpec(spec: unknown): Outcome<AnySpec> {
  if (spec === undefined || spec === null) return done(defaultSpec)
  if (typeof spec !== 'object' || Array.isArray(spec)) {
    const remedy = 'Write it like {"family": "ets"}.'
    return refused({ code: 'wrong-type', detail: 'A spec has to be an object.', field: '', remedy })
  }
  const known = [...families.keys()].join(', ')
  const name = (spec as Record<string, unknown>).family
  const family = typeof name === 'string' ? families.get(name) : undefined
  if (family !== undefined) return family.parse(spec as Record<string, unknown>)
  const asked =
    typeof name === 'string'
      ? `There is no family ${JSON.stringify(name.slice(0, 100))}`
      : 'A spec names its family'
  return refused({
    code: 'unknown-family',
    detail: `${asked}; the families are: ${known}.`,
    field: '/family',
    remedy: `Set family to one of: ${known}.`,
  })
}

/**
 * Why a series cannot be fitted with a spec; undefined when it can. Costs one look at each value.
 */
export function checkSeries(series: Series, spec: AnySpec): Refusal | undefined {
  return checkShape(series) ?? checkRegressors(series, spec) ?? familyOf(spec).check(series, spec)
}

/** Fits a series. `stopped` carries the best model so far; unsuitable data are refused. */
export function fitModel(series: Series, spec: AnySpec, run: Run): Outcome<AnyModel> {
  const fault = checkShape(series) ?? checkRegressors(series, spec)
  return fault === undefined ? familyOf(spec).fit(series, spec, run) : refused(fault)
}

/** The forecast of a model. A shorter horizon gives exactly the beginning of a longer one. */
export function forecastModel(model: AnyModel, ask: Ask, run: Run = plainRun): Outcome<Forecast> {
  const fault = checkAsk(ask)
  if (fault !== undefined) return refused(fault)
  return settled(familyOf(model).forecast(model, ask, run), ask)
}

function settled(
  forecast: Outcome<Forecast>,
  ask: Ask,
  keepPoint?: (point: Float64Array) => Float64Array,
): Outcome<Forecast> {
  if (forecast.kind === 'refused') return forecast
  const { point, quantiles } = forecast.value
  // Every family keeps its numbers in range, but bytes that somebody made up may hold a model
  // whose numbers leave it: nobody is answered with those.
  return areFinite(point, quantiles)
    ? settleForecast(forecast, ask, keepPoint)
    : outOfRange('forecast')
}

/**
 * The forecast of a model for many quantiles and horizons up to the plan's, one ask after the
 * other: what they share is computed once. Each is, to the bit, what `forecastModel` gives.
 */
export function prepareForecast(model: AnyModel, plan: Plan, run: Run = plainRun): Prepared {
  const fault = checkAsk({ ...plan, quantiles: new Float64Array(0) })
  if (fault !== undefined) return { at: () => refused(fault), sizeBytes: 0 }
  const { at, sizeBytes, ...rest } = preparedBy(familyOf(model), model, plan, run)
  const keepPoint = plan.bounds && keeperWithin(plan.bounds)
  // The point as it was, and as it is kept.
  const boundedBytes = plan.bounds ? 2 * plan.horizon * Float64Array.BYTES_PER_ELEMENT : 0
  return {
    at(quantiles, horizon = plan.horizon) {
      assert(horizon <= plan.horizon, 'what is prepared serves horizons up to its own')
      const ask = { ...plan, horizon, quantiles }
      const unfit = checkAsk(ask)
      return unfit === undefined ? settled(at(quantiles, horizon), ask, keepPoint) : refused(unfit)
    },
    ...rest,
    sizeBytes: sizeBytes + boundedBytes,
  }
}

/** Sample paths, paths × horizon, row-major. A shorter horizon begins a longer one. */
export function simulateModel(
  model: AnyModel,
  ask: Ask,
  paths: number,
  run: Run,
): Outcome<Float64Array> {
  const fault = checkAsk(ask) ?? checkPaths(paths, ask.horizon)
  if (fault !== undefined) return refused(fault)
  const drawn = familyOf(model).simulate(model, ask, paths, run)
  return drawn.kind === 'refused' || areFinite(drawn.value) ? drawn : outOfRange('simulation')
}

/** Parts that add up: of the one-step fits of a series, or of the point forecast. */
export function explainModel(model: AnyModel, what: Explained): Outcome<Components> {
  const fault = 'ask' in what ? checkAsk(what.ask) : checkShape(what.series)
  if (fault !== undefined) return refused(fault)
  const explained = familyOf(model).explain(model, what)
  if (explained.kind === 'refused') return explained
  const { total, parts } = explained.value
  const values = [total, ...Object.values(parts)]
  const sound = 'ask' in what ? areFinite(...values) : !values.some(hasInfinity)
  return sound ? explained : outOfRange('decomposition')
}

/** The model after newer observations, its parameters unchanged. */
export function updateModel(model: AnyModel, newer: Series): Outcome<AnyModel> {
  const fault = checkShape(newer)
  return fault === undefined ? familyOf(model).update(model, newer) : refused(fault)
}

/** The model with the same parameters at the end of a series, taken from its beginning. */
export function filterModel(model: AnyModel, series: Series): Outcome<AnyModel> {
  const fault = checkShape(series)
  return fault === undefined ? familyOf(model).filter(model, series) : refused(fault)
}

/** A model as bytes: equal models give equal bytes. */
export function encodeModel(model: AnyModel): Uint8Array {
  return familyOf(model).encode(model)
}

/** The model in some bytes, or the refusal of bytes that are none; never throws. */
export function decodeModel(bytes: Uint8Array): Outcome<AnyModel> {
  const name = claimedFamily(bytes)
  if (name === undefined) return badFormat('they name no family of models')
  const family = families.get(name)
  return family === undefined ? badFormat(`the family ${name} is not known`) : family.decode(bytes)
}

/** Bytes that a model occupies in memory, for budgets. */
export function modelSizeBytes(model: AnyModel): number {
  return familyOf(model).sizeBytes(model)
}

/** The bounds of central intervals of some levels in percent, ascending: 80 gives 0.1 and 0.9. */
export function levelQuantiles(levels: readonly number[]): Float64Array {
  const inside = levels.every((level) => level > 0 && level < 100)
  assert(inside, 'a level lies strictly between 0 and 100')
  const bounds = levels.flatMap((level) => [(100 - level) / 200, (100 + level) / 200])
  return Float64Array.from(new Set(bounds)).sort()
}

/** Regressors that a family would pass over in silence are refused. */
function checkRegressors({ x = {} }: Series, { family }: AnySpec): Refusal | undefined {
  const name = Object.keys(x)[0]
  if (name === undefined || familyOf({ family }).can.regressors) return undefined
  const taking = [...families.values()].filter(({ can }) => can.regressors)
  const known = taking.map((other) => other.name).join(', ')
  return {
    code: 'no-regressors',
    detail: `The family ${family} takes no regressors, and the series has ${JSON.stringify(name)}. Those that do: ${known}.`,
    field: '/x',
    remedy: `Leave out x, or set the family to one of: ${known}.`,
  }
}

/** One-step fits are missing (NaN) where there are none. */
function hasInfinity(values: Float64Array): boolean {
  return values.some((value) => Math.abs(value) === Number.POSITIVE_INFINITY)
}

function outOfRange(what: string): Outcome<never> {
  return refused({
    code: 'not-finite',
    detail: `The ${what} leaves the range of numbers.`,
    remedy: 'Ask for a shorter horizon, or fit the model again.',
  })
}

/** Forecasts draw nothing unless a family has no formula for its bounds; the seed is then 0. */
const plainRun: Run = { seed: 0, workMax: Number.POSITIVE_INFINITY }

function familyOf(owner: { readonly family: string }): Family<AnySpec, AnyModel> {
  const family = families.get(owner.family)
  assert(family !== undefined, 'specs and models come from a known family')
  return family
}
