import { badFormat, type Column, decodeContainer, encodeContainer } from '../codec/container.ts'
import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done } from '../outcome.ts'
import { differencing } from '../series/difference.ts'
import type { ArimaModel } from './model.ts'
import { armaFromPartials } from './parameters.ts'
import { type ArimaSpec, parseArimaSpec } from './spec.ts'

/** What `encodeArima` writes and the newest that `decodeArima` reads. */
export const arimaFormat = 1

/** Format 1: integers, scalars, partials, state, levels; coefficients follow from the partials. */
export function encodeArima(model: ArimaModel): Uint8Array {
  const { spec, arma } = model
  const columns = new Map<string, Column>([
    ['orders', Int32Array.of(spec.p, spec.d, spec.q, spec.differenceLag, spec.constant ? 1 : 0)],
    ['counts', Int32Array.of(model.observations, model.missing, model.pending)],
    ['scalars', Float64Array.of(model.scale, model.mean, model.sigma2)],
    ['ar-partials', arma.arPartials],
    ['ma-partials', arma.maPartials],
    ['state', model.state],
    ['covariance', model.covariance],
    ['levels', model.levels],
    ['filled', model.filled],
  ])
  return encodeContainer({ family: 'arima', familyFormat: arimaFormat, columns })
}

/** The model in some bytes, every number of it checked; never throws. */
export function decodeArima(bytes: Uint8Array): Outcome<ArimaModel> {
  const container = decodeContainer(bytes)
  if (container.kind === 'refused') return container
  const { family, familyFormat, columns } = container.value
  if (family !== 'arima') return badFormat(`the family is ${family}, not arima`)
  if (familyFormat !== arimaFormat) return badFormat(`format ${familyFormat} of arima is not known`)
  const columnsMissing = columnNames.find((name) => !columns.has(name))
  if (columnsMissing !== undefined) return badFormat(`${columnsMissing} is missing`)
  if (columns.size !== columnNames.length) return badFormat('there are arrays beyond those known')
  const spec = readSpec(columns.get('orders'))
  if (spec === undefined) return badFormat('orders are out of range')
  const shape = shapeOf(spec)
  const [arPartials, maPartials] = [
    doubles(columns.get('ar-partials'), shape.p, partialMax),
    doubles(columns.get('ma-partials'), shape.q, partialMax),
  ]
  if (arPartials === undefined || maPartials === undefined) return badFormat('partials are invalid')
  const state = doubles(columns.get('state'), shape.size, limits.stateMagnitudeMax)
  const covariance = readCovariance(columns.get('covariance'), shape.size)
  const levels = doubles(columns.get('levels'), shape.depth, limits.stateMagnitudeMax)
  const filled = readFilled(columns.get('filled'), shape.depth)
  if (!state || !covariance || !levels || !filled) return badFormat('the state is invalid')
  const scalars = readScalars(columns.get('scalars'))
  if (scalars === undefined) return badFormat('scale, mean or variance are out of range')
  const counts = readCounts(columns.get('counts'), shape.depth)
  if (counts === undefined) return badFormat('counts are out of range')
  const arma = armaFromPartials(arPartials, maPartials)
  return done({ family, spec, arma, ...scalars, state, covariance, levels, filled, ...counts })
}

/** Bytes that a model keeps in memory: its numbers, and some for objects. */
export function arimaBytes(model: ArimaModel): number {
  const { arma } = model
  const arrays = [
    arma.ar,
    arma.ma,
    arma.arPartials,
    arma.maPartials,
    model.state,
    model.covariance,
    model.levels,
    model.filled,
  ]
  return arrays.reduce((sum, array) => sum + array.byteLength + arrayOverheadBytes, objectBytes)
}

const columnNames = [
  'orders',
  'counts',
  'scalars',
  'ar-partials',
  'ma-partials',
  'state',
  'covariance',
  'levels',
  'filled',
] as const

/** What V8 needs for an array beside its elements, and for the objects of a model; measured. */
const arrayOverheadBytes = 200
const objectBytes = 600
/** The largest double below 1: a partial of 1 is a unit root. */
const partialMax = 1 - Number.EPSILON / 2

function shapeOf(spec: ArimaSpec) {
  const { depth } = differencing(spec.d, spec.differenceLag)
  return { p: spec.p, q: spec.q, size: Math.max(spec.p, spec.q + 1), depth }
}

function readSpec(column: Column | undefined): ArimaSpec | undefined {
  if (!(column instanceof Int32Array) || column.length !== 5) return undefined
  const [p, d, q, differenceLag, constant] = column
  if (constant !== 0 && constant !== 1) return undefined
  const spec = parseArimaSpec({ family: 'arima', p, d, q, differenceLag, constant: constant === 1 })
  return spec.kind === 'refused' ? undefined : spec.value
}

function doubles(
  column: Column | undefined,
  length: number,
  magnitudeMax: number,
): Float64Array | undefined {
  if (!(column instanceof Float64Array) || column.length !== length) return undefined
  return column.every((value) => Math.abs(value) <= magnitudeMax) ? column : undefined
}

function readCovariance(column: Column | undefined, size: number): Float64Array | undefined {
  if (column instanceof Float64Array && column.length === 0) return column
  const values = doubles(column, size * size, limits.stateMagnitudeMax)
  if (values === undefined) return undefined
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) {
      if (values[i * size + j] !== values[j * size + i]) return undefined
    }
  }
  return values
}

function readFilled(column: Column | undefined, length: number): Uint8Array | undefined {
  if (!(column instanceof Uint8Array) || column.length !== length) return undefined
  return column.every((flag) => flag <= 1) ? column : undefined
}

function readScalars(column: Column | undefined) {
  const values = doubles(column, 3, limits.stateMagnitudeMax)
  if (values === undefined) return undefined
  const [scale = 0, mean = 0, sigma2 = 0] = values
  return scale > 0 && sigma2 >= 0 ? { scale, mean, sigma2 } : undefined
}

function readCounts(column: Column | undefined, depth: number) {
  if (!(column instanceof Int32Array) || column.length !== 3) return undefined
  const [observations = 0, missing = 0, pending = 0] = column
  if (observations < 1 || missing < 0 || pending < 0) return undefined
  if (pending > limits.pendingMax || pending > missing) return undefined
  return observations + missing >= depth ? { observations, missing, pending } : undefined
}
