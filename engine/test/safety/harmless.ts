import {
  type AnyModel,
  type Ask,
  decodeModel,
  encodeModel,
  explainModel,
  forecastModel,
  type Outcome,
  type Series,
  simulateModel,
  updateModel,
} from '../../src/index.ts'

const run = { seed: 3, workMax: 1e9 }
const quantiles = Float64Array.of(0.0001, 0.1, 0.5, 0.9, 0.9999)

/**
 * What is wrong with the answers to some bytes; undefined when they are refused, or are a model of
 * which everything works: each call gives finite numbers or a reason, and what it writes is read.
 */
export function faultOf(bytes: Uint8Array, like: Series, horizon: number): string | undefined {
  const decoded = decodeModel(bytes)
  if (decoded.kind === 'refused') {
    return decoded.reason.code === 'bad-format' ? undefined : `code ${decoded.reason.code}`
  }
  const model = decoded.value
  if (!equal(encodeModel(model), bytes)) return 'it is not written as it was read'
  const fault = faultOfAnswers(model, like, [5, horizon])
  if (fault !== undefined) return fault
  const past = explainModel(model, { series: beginning(like, like.y.subarray(0, 40)) })
  if (past.kind !== 'refused') {
    const values = [past.value.total, ...Object.values(past.value.parts)]
    if (values.some((column) => column.some((value) => Math.abs(value) === 1 / 0))) return 'past'
  }
  const updated = updateModel(model, beginning(like, newerValues[horizon % newerValues.length]!))
  if (updated.kind === 'refused') return undefined
  const again = decodeModel(encodeModel(updated.value))
  if (again.kind === 'refused') return `after an update: ${again.reason.detail}`
  const then = faultOfAnswers(updated.value, like, [5])
  return then === undefined ? undefined : `after an update: ${then}`
}

const newerValues = [
  Float64Array.of(3, 0, 120),
  Float64Array.of(Number.NaN, 3, Number.NaN),
  Float64Array.of(1e150, -1e150, 0),
]

function faultOfAnswers(
  model: AnyModel,
  like: Series,
  horizons: readonly number[],
): string | undefined {
  for (const horizon of horizons) {
    const point = horizon === 5 ? 'mean' : 'median'
    const ask: Ask = { horizon, quantiles, point, ...futureOf(like, horizon) }
    const forecast = forecastModel(model, ask, run)
    const values =
      forecast.kind === 'refused' ? [] : [forecast.value.point, forecast.value.quantiles]
    const fault = faultIn(forecast, values)
    if (fault !== undefined) return `forecast of ${horizon}: ${fault}`
  }
  const ask: Ask = { horizon: 8, quantiles, ...futureOf(like, 8) }
  const drawn = simulateModel(model, ask, 3, run)
  const parts = explainModel(model, { ask })
  const fault =
    faultIn(drawn, drawn.kind === 'refused' ? [] : [drawn.value]) ??
    faultIn(
      parts,
      parts.kind === 'refused' ? [] : [parts.value.total, ...Object.values(parts.value.parts)],
    )
  return fault === undefined ? undefined : `simulation or decomposition: ${fault}`
}

function faultIn(outcome: Outcome<unknown>, values: readonly Float64Array[]): string | undefined {
  if (outcome.kind === 'refused') {
    return /^[a-z-]+$/.test(outcome.reason.code) ? undefined : `code ${outcome.reason.code}`
  }
  return values.every((column) => column.every(Number.isFinite)) ? undefined : 'not finite'
}

function beginning(like: Series, y: Float64Array): Series {
  const x = Object.entries(like.x ?? {}).map(([name, column]) => [name, column.slice(0, y.length)])
  return { ...like, y, ...(like.x === undefined ? {} : { x: Object.fromEntries(x) }) }
}

function futureOf({ x }: Series, horizon: number): Pick<Ask, 'future'> {
  if (x === undefined) return {}
  const cycled = Object.entries(x).map(([name, column]) => [
    name,
    Float64Array.from({ length: horizon }, (_, t) => column[t % column.length]!),
  ])
  return { future: Object.fromEntries(cycled) }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
