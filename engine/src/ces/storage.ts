import { bytesOf, doubles, integers, readColumns, readSpec, specColumn } from '../codec/columns.ts'
import { badFormat, type Column, encodeContainer } from '../codec/container.ts'
import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done } from '../outcome.ts'
import type { CesModel } from './model.ts'
import { cesSeasonLengthMax, cesSeasons, parseCesSpec } from './spec.ts'
import { stateSize, structureOf } from './structure.ts'

export const cesFormat = 1

export function encodeCes(model: CesModel): Uint8Array {
  const { seasonLength, season, observations, missing, pending } = model
  const kind = cesSeasons.indexOf(season)
  const columns = new Map<string, Column>([
    ['spec', specColumn(model.spec)],
    ['counts', Int32Array.of(seasonLength, kind, observations, missing, pending)],
    ['parameters', model.parameters],
    ['deviation', Float64Array.of(model.deviation)],
    ['start', model.start],
    ['state', model.state],
  ])
  return encodeContainer({ family: 'ces', familyFormat: cesFormat, columns })
}

/** The model in some bytes, every number of it checked; never throws. */
export function decodeCes(bytes: Uint8Array): Outcome<CesModel> {
  const read = readColumns(bytes, { family: 'ces', format: cesFormat, columns: columnNames })
  if (read.kind === 'refused') return read
  const columns = read.value
  const spec = readSpec(columns.get('spec'), parseCesSpec)
  const counts = integers(columns.get('counts'), 5, 0, limits.countMax)
  const [seasonLength = 0, kind = 0, observations = 0, missing = 0, pending = 0] = counts ?? []
  const season = cesSeasons[kind]
  if (spec === undefined || season === undefined || season !== (spec.season ?? season)) {
    return badFormat('its spec is invalid')
  }
  const most = season === 'none' ? limits.seasonLengthMax : cesSeasonLengthMax
  const wanted = spec.season === 'none' ? 1 : (spec.seasonLength ?? seasonLength)
  if (seasonLength < 1 || seasonLength > most || seasonLength !== wanted) {
    return badFormat('its season is out of range')
  }
  if (observations < 1 || pending > missing || pending > limits.pendingMax) {
    return badFormat('its counts do not fit')
  }
  const structure = structureOf(season, seasonLength)
  const size = stateSize(structure)
  const parameters = doubles(columns.get('parameters'), structure.parameters, parameterMax)
  const deviation = doubles(columns.get('deviation'), 1, limits.stateMagnitudeMax)
  const start = doubles(columns.get('start'), size, limits.stateMagnitudeMax)
  const state = doubles(columns.get('state'), size, limits.stateMagnitudeMax)
  if (parameters === undefined) return badFormat('its parameters are out of range')
  if (deviation === undefined || deviation[0]! < 0 || start === undefined || state === undefined) {
    return badFormat('its state is out of range')
  }
  return done({
    family: 'ces',
    spec,
    season,
    seasonLength,
    parameters,
    deviation: deviation[0]!,
    start,
    state,
    observations,
    missing,
    pending,
  })
}

export function cesBytes({ parameters, start, state }: CesModel): number {
  return bytesOf([parameters, start, state])
}

const columnNames = ['spec', 'counts', 'parameters', 'deviation', 'start', 'state'] as const

/** The region of stability reaches from 0 to 3 and less. */
const parameterMax = 3
