import { bytesOf, doubles, integers, readColumns, readSpec, specColumn } from '../codec/columns.ts'
import { badFormat, type Column, encodeContainer } from '../codec/container.ts'
import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done } from '../outcome.ts'
import { makeDesign } from './design.ts'
import { type AdditiveModel, capacityOf } from './model.ts'
import { stepsMax } from './moves.ts'
import { readSettled, settledColumns } from './settled.ts'
import { type AdditiveSpec, parseAdditiveSpec, specLimits } from './spec.ts'

/** What `encodeAdditive` writes and the newest that `decodeAdditive` reads. */
export const additiveFormat = 1

/** Format 1: spec, what was settled by the data, counts, scalars, changepoints, coefficients. */
export function encodeAdditive(model: AdditiveModel): Uint8Array {
  const { scale, origin, span, trend, sigma } = model
  const settled = settledColumns(model.design)
  const columns = new Map<string, Column>([
    ['spec', specColumn(model.spec)],
    ['settled', settled.text],
    ['zone-instants', settled.instants],
    ['zone-offsets', settled.offsetsMs],
    ['counts', Int32Array.of(model.length, model.observations, model.missing)],
    ['scalars', Float64Array.of(scale, origin, span, trend.k, trend.m, sigma)],
    ['changepoints', trend.changepoints],
    ['deltas', trend.deltas],
    ['betas', model.betas],
  ])
  return encodeContainer({ family: 'additive', familyFormat: additiveFormat, columns })
}

/** The model in some bytes, every number of it checked; never throws. */
export function decodeAdditive(bytes: Uint8Array): Outcome<AdditiveModel> {
  const expected = { family: 'additive', format: additiveFormat, columns: columnNames }
  const read = readColumns(bytes, expected)
  if (read.kind === 'refused') return read
  const columns = read.value
  const spec = readSpec(columns.get('spec'), parseAdditiveSpec)
  if (spec === undefined) return badFormat('its spec is invalid')
  const settled = readSettled(
    columns.get('settled'),
    columns.get('zone-instants'),
    columns.get('zone-offsets'),
  )
  if (settled === undefined) return badFormat('its calendar, seasons or regressors are invalid')
  const design = makeDesign({ spec, ...settled })
  if (design.columns > specLimits.columnsMax) return badFormat('it has too many columns')
  const counts = integers(columns.get('counts'), 3, -stepsMax, stepsMax)
  const [length = 0, observations = 0, missing = 0] = counts ?? []
  if (counts === undefined || observations < 0 || missing < 0) {
    return badFormat('its counts are out of range')
  }
  const scalars = doubles(columns.get('scalars'), 6, limits.stateMagnitudeMax)
  const [scale = 0, origin = 0, span = 0, k = 0, m = 0, sigma = 0] = scalars ?? []
  if (scalars === undefined || !(scale > 0 && span > 0 && sigma >= 0)) {
    return badFormat('its scales are out of range')
  }
  const changepoints = readChangepoints(columns.get('changepoints'), spec)
  if (changepoints === undefined) return badFormat('its changepoints are invalid')
  const deltas = doubles(columns.get('deltas'), changepoints.length, limits.stateMagnitudeMax)
  const betas = doubles(columns.get('betas'), design.columns, limits.stateMagnitudeMax)
  if (deltas === undefined || betas === undefined) return badFormat('its coefficients are invalid')
  const capacity = capacityOf(spec, scale)
  const trend = { growth: spec.growth, capacity, k, m, changepoints, deltas }
  const counted = { length, observations, missing }
  return done({
    ...{ family: 'additive', spec, design, scale, origin, span, trend, betas, sigma },
    ...counted,
  })
}

/** Bytes that a model keeps in memory: its numbers, its texts, and some for objects. */
export function additiveBytes({ spec, design, trend, betas }: AdditiveModel): number {
  const zone = design.calendar?.step.zone
  const arrays = [
    ...[betas, trend.changepoints, trend.deltas, design.priorScales, design.multiplicative],
    ...[design.datedEffects, design.steppedEffects].flatMap(({ at, columns }) => [at, columns]),
    ...(zone === undefined ? [] : [zone.instants, zone.offsetsMs]),
  ]
  const items = design.parts.length + spec.holidays.length + spec.regressors.length
  return bytesOf(arrays) + specColumn(spec).length + items * itemBytes
}

const columnNames = [
  'spec',
  'settled',
  'zone-instants',
  'zone-offsets',
  'counts',
  'scalars',
  'changepoints',
  'deltas',
  'betas',
] as const

/** An object of a few fields. */
const itemBytes = 150

function readChangepoints(column: Column | undefined, spec: AdditiveSpec) {
  if (!(column instanceof Float64Array) || column.length > specLimits.changepointsMax) {
    return undefined
  }
  if (spec.growth === 'flat' && column.length > 0) return undefined
  const ascends = column.every((time, i) => time > (i === 0 ? 0 : column[i - 1]!) && time <= 1)
  return ascends ? column : undefined
}
