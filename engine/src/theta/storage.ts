import { bytesOf, doubles, integers, readColumns, readSpec, specColumn } from '../codec/columns.ts'
import { badFormat, type Column, encodeContainer } from '../codec/container.ts'
import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done } from '../outcome.ts'
import type { ThetaModel } from './model.ts'
import { factorMin, type Seasonal, seasonalKinds } from './seasonal.ts'
import { parseThetaSpec } from './spec.ts'

export const thetaFormat = 1

export function encodeTheta(model: ThetaModel): Uint8Array {
  const { seasonLength, seasonal, dynamic, observations, missing, pending } = model
  const kind = seasonalKinds.indexOf(seasonal.kind)
  const { alpha, share, deviation, origin, levelStart } = model
  const columns = new Map<string, Column>([
    ['spec', specColumn(model.spec)],
    ['counts', Int32Array.of(seasonLength, kind, dynamic ? 1 : 0, observations, missing, pending)],
    ['parameters', Float64Array.of(alpha, share, deviation, origin, levelStart)],
    ['effects', seasonal.effects],
    ['line', model.line],
    ['state', model.state],
  ])
  return encodeContainer({ family: 'theta', familyFormat: thetaFormat, columns })
}

/** The model in some bytes, every number of it checked; never throws. */
export function decodeTheta(bytes: Uint8Array): Outcome<ThetaModel> {
  const expected = { family: 'theta', format: thetaFormat, columns: columnNames }
  const read = readColumns(bytes, expected)
  if (read.kind === 'refused') return read
  const columns = read.value
  const spec = readSpec(columns.get('spec'), parseThetaSpec)
  const counts = integers(columns.get('counts'), 6, 0, limits.countMax)
  const [seasonLength = 0, code = 0, moves = 0, observations = 0, missing = 0, pending = 0] =
    counts ?? []
  const kind = seasonalKinds[code]
  if (spec === undefined || kind === undefined) return badFormat('its spec is invalid')
  const known = seasonLength >= 1 && seasonLength <= limits.seasonLengthMax
  if (!known || seasonLength !== (spec.seasonLength ?? seasonLength) || moves > 1) {
    return badFormat('its season is out of range')
  }
  if (observations < 1 || pending > missing || pending > limits.pendingMax) {
    return badFormat('its counts do not fit')
  }
  const effects = readEffects(columns.get('effects'), kind, seasonLength)
  const parameters = doubles(columns.get('parameters'), 5, limits.stateMagnitudeMax)
  const line = doubles(columns.get('line'), 2, limits.stateMagnitudeMax)
  const state = doubles(columns.get('state'), 6, limits.stateMagnitudeMax)
  const [alpha = 0, share = 0, deviation = 0, origin = 0, levelStart = 0] = parameters ?? []
  const inside = alpha >= alphaLeast && alpha < 1 && share >= 0 && share <= 1 && deviation >= 0
  if (parameters === undefined || !inside || effects === undefined) {
    return badFormat('its parameters are out of range')
  }
  const ranged = state !== undefined && state[1]! >= 0 && state[1]! <= 1 && state[4]! >= 0
  if (line === undefined || !ranged) return badFormat('its state is out of range')
  const scalars = { alpha, share, deviation, origin, levelStart }
  const seasonal: Seasonal = { kind, effects }
  const counted = { observations, missing, pending }
  const dynamic = moves === 1
  return done({
    family: 'theta',
    spec,
    seasonLength,
    seasonal,
    dynamic,
    ...scalars,
    line,
    state,
    ...counted,
  })
}

export function thetaBytes({ seasonal, line, state }: ThetaModel): number {
  return bytesOf([seasonal.effects, line, state])
}

const columnNames = ['spec', 'counts', 'parameters', 'effects', 'line', 'state'] as const

/** Less would let a state that was tampered with leave the range of numbers. */
const alphaLeast = 1e-3

function readEffects(
  column: Column | undefined,
  kind: Seasonal['kind'],
  seasonLength: number,
): Float64Array | undefined {
  const length = kind === 'none' ? 0 : seasonLength
  const multiplicative = kind === 'multiplicative'
  const most = multiplicative ? limits.seasonLengthMax / factorMin : limits.stateMagnitudeMax
  const effects = doubles(column, length, most)
  if (effects === undefined || !multiplicative) return effects
  return effects.every((effect) => effect > factorMin) ? effects : undefined
}
