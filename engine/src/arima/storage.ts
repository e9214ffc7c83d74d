import { bytesOf, doubles, integers, readColumns, readSpec, specColumn } from '../codec/columns.ts'
import { badFormat, type Column, decodeContainer, encodeContainer } from '../codec/container.ts'
import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done } from '../outcome.ts'
import { checkSeason } from './check.ts'
import { fastLength } from './kalman.ts'
import type { ArimaModel } from './model.ts'
import { arLags, maLags, type Orders, operatorOf } from './orders.ts'
import { armaFromPartials } from './parameters.ts'
import { type ArimaSpec, parseArimaSpec } from './spec.ts'

/** What `encodeArima` writes and the newest that `decodeArima` reads. */
export const arimaFormat = 2

/** Format 2: the spec as JSON, integers, scalars, partials, state, levels; the rest follows. */
export function encodeArima(model: ArimaModel): Uint8Array {
  const { orders, arma } = model
  const { p, d, q, differenceLag, constant, P, D, Q, seasonLength } = orders
  const columns = new Map<string, Column>([
    ['spec', specColumn(model.spec)],
    ['orders', Int32Array.of(p, d, q, differenceLag, constant ? 1 : 0, P, D, Q, seasonLength)],
    ['counts', Int32Array.of(model.observations, model.missing, model.pending)],
    ['scalars', Float64Array.of(model.scale, model.mean, model.sigma2)],
    ['ar-partials', arma.arPartials],
    ['ma-partials', arma.maPartials],
    ['seasonal-ar-partials', arma.seasonalArPartials],
    ['seasonal-ma-partials', arma.seasonalMaPartials],
    ['beta', model.beta],
    ['state', model.state],
    ['covariance', model.covariance],
    ['levels', model.levels],
    ['filled', model.filled],
  ])
  return encodeContainer({ family: 'arima', familyFormat: arimaFormat, columns })
}

/** The model in some bytes of any format, every number of it checked; never throws. */
export function decodeArima(bytes: Uint8Array): Outcome<ArimaModel> {
  const container = decodeContainer(bytes)
  if (container.kind === 'refused') return container
  const format = container.value.familyFormat === 1 ? 1 : arimaFormat
  const columns = format === 1 ? firstColumns : [...firstColumns, ...laterColumns]
  const read = readColumns(bytes, { family: 'arima', format, columns })
  if (read.kind === 'refused') return read
  return format === 1 ? readFirst(read.value) : readSecond(read.value)
}

/** Bytes that a model keeps in memory: its numbers, and some for objects. */
export function arimaBytes(model: ArimaModel): number {
  const { arma } = model
  const names = model.spec.regressors.reduce((sum, name) => sum + 2 * name.length + 40, 0)
  return (
    names +
    bytesOf([
      arma.ar,
      arma.ma,
      arma.arPartials,
      arma.maPartials,
      arma.seasonalArPartials,
      arma.seasonalMaPartials,
      model.beta,
      model.state,
      model.covariance,
      model.levels,
      model.filled,
    ])
  )
}

type Read = ReadonlyMap<string, Column>

const firstColumns = [
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
const laterColumns = ['spec', 'seasonal-ar-partials', 'seasonal-ma-partials', 'beta'] as const

/** The largest double below 1: a partial of 1 is a unit root. */
const partialMax = 1 - Number.EPSILON / 2

function readFirst(columns: Read): Outcome<ArimaModel> {
  const orders = columns.get('orders')
  if (!(orders instanceof Int32Array) || orders.length !== 5) return badFormat('orders are invalid')
  const [p, d, q, differenceLag, constant] = orders
  if (constant !== 0 && constant !== 1) return badFormat('orders are out of range')
  const given = { family: 'arima', p, d, q, differenceLag, constant: constant === 1 }
  const spec = parseArimaSpec(given)
  if (spec.kind === 'refused') return badFormat('orders are out of range')
  const none = new Float64Array(0)
  const later: Read = new Map([
    ...columns,
    ['seasonal-ar-partials', none],
    ['seasonal-ma-partials', none],
    ['beta', none],
    ['orders', Int32Array.of(...orders, 0, 0, 0, 1)],
  ])
  return readRest(later, spec.value)
}

function readSecond(columns: Read): Outcome<ArimaModel> {
  const spec = readSpec(columns.get('spec'), parseArimaSpec)
  return spec === undefined ? badFormat('the spec is invalid') : readRest(columns, spec)
}

function readRest(columns: Read, spec: ArimaSpec): Outcome<ArimaModel> {
  const orders = readOrders(columns.get('orders'), spec)
  if (orders === undefined) return badFormat('orders are out of range')
  const partials = (name: string, count: number) => doubles(columns.get(name), count, partialMax)
  const ar = partials('ar-partials', orders.p)
  const ma = partials('ma-partials', orders.q)
  const seasonalAr = partials('seasonal-ar-partials', orders.P)
  const seasonalMa = partials('seasonal-ma-partials', orders.Q)
  if (!ar || !ma || !seasonalAr || !seasonalMa) return badFormat('partials are invalid')
  const { depth } = operatorOf(orders)
  const size = Math.max(arLags(orders), maLags(orders) + 1)
  const beta = doubles(columns.get('beta'), spec.regressors.length, limits.stateMagnitudeMax)
  const state = doubles(columns.get('state'), size, limits.stateMagnitudeMax)
  const covariance = readCovariance(columns.get('covariance'), size)
  const levels = doubles(columns.get('levels'), depth, limits.stateMagnitudeMax)
  const filled = readFilled(columns.get('filled'), depth)
  if (!beta || !state || !covariance || !levels || !filled) return badFormat('the state is invalid')
  const scalars = readScalars(columns.get('scalars'))
  if (scalars === undefined) return badFormat('scale, mean or variance are out of range')
  const counts = readCounts(columns.get('counts'), depth)
  if (counts === undefined) return badFormat('counts are out of range')
  const { seasonLength } = orders
  const arma = armaFromPartials(ar, ma, { ar: seasonalAr, ma: seasonalMa, seasonLength })
  const rest = { beta, state, covariance, levels, filled, ...counts }
  return done({ family: 'arima', spec, orders, arma, ...scalars, ...rest })
}

/** The orders, which those that a spec gives by itself have to equal. */
function readOrders(column: Column | undefined, spec: ArimaSpec): Orders | undefined {
  const values = integers(column, 9, 0, limits.differenceLagMax)
  if (values === undefined) return undefined
  const [p, d, q, differenceLag, constant, P, D, Q, seasonLength = 0] = values
  const given = { family: 'arima', p, d, q, differenceLag, constant: constant === 1, P, D, Q }
  const parsed = parseArimaSpec({ ...given, seasonLength })
  if (parsed.kind === 'refused' || constant! > 1) return undefined
  const orders: Orders = { ...ordersIn(parsed.value), seasonLength }
  const asked = ordersIn(spec)
  const same = Object.entries(asked).every(([name, value]) => orders[name as Name] === value)
  if (!same || (spec.seasonLength ?? seasonLength) !== seasonLength) return undefined
  return checkSeason(orders) === undefined ? orders : undefined
}

type Name = keyof Omit<Orders, 'seasonLength'>

function ordersIn({ p, d, q, P, D, Q, constant, differenceLag }: ArimaSpec): Pick<Orders, Name> {
  return { p, d, q, P, D, Q, constant, differenceLag }
}

function readCovariance(column: Column | undefined, size: number): Float64Array | undefined {
  if (column instanceof Float64Array && column.length === 0) return column
  const fast = doubles(column, fastLength(size), limits.stateMagnitudeMax)
  // All of the past leaves a variance of 1.
  if (fast !== undefined) return fast[0]! >= 1 ? fast : undefined
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
  const [observations = 0, missing = 0, pending = 0] = integers(column, 3, 0, limits.countMax) ?? []
  if (observations < 1) return undefined
  if (pending > limits.pendingMax || pending > missing) return undefined
  return observations + missing >= depth ? { observations, missing, pending } : undefined
}
