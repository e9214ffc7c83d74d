import { bytesOf, doubles, integers, readColumns, readSpec, specColumn } from '../codec/columns.ts'
import { badFormat, type Column, encodeContainer } from '../codec/container.ts'
import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done } from '../outcome.ts'
import { type BaselineModel, levelCount } from './model.ts'
import { parseBaselineSpec } from './spec.ts'

export const baselineFormat = 1

export function encodeBaseline(model: BaselineModel): Uint8Array {
  const { seasonLength, span, observations, missing } = model
  const columns = new Map<string, Column>([
    ['spec', specColumn(model.spec)],
    ['counts', Int32Array.of(seasonLength, span, observations, missing)],
    ['deviation', Float64Array.of(model.deviation)],
    ['levels', model.levels],
    ['ages', model.ages],
  ])
  return encodeContainer({ family: 'baseline', familyFormat: baselineFormat, columns })
}

/** The model in some bytes, every number of it checked; never throws. */
export function decodeBaseline(bytes: Uint8Array): Outcome<BaselineModel> {
  const expected = { family: 'baseline', format: baselineFormat, columns: columnNames }
  const read = readColumns(bytes, expected)
  if (read.kind === 'refused') return read
  const columns = read.value
  const spec = readSpec(columns.get('spec'), parseBaselineSpec)
  if (spec === undefined) return badFormat('its spec is invalid')
  const counts = integers(columns.get('counts'), 4, 0, limits.countMax)
  const [seasonLength = 0, span = 0, observations = 0, missing = 0] = counts ?? []
  const seasonal = spec.method === 'seasonal-naive'
  const wanted = seasonal ? (spec.seasonLength ?? seasonLength) : 1
  if (seasonLength < 1 || seasonLength > limits.seasonLengthMax || seasonLength !== wanted) {
    return badFormat('its season is out of range')
  }
  if (observations < 1 || span >= observations + missing) return badFormat('its counts do not fit')
  const deviation = doubles(columns.get('deviation'), 1, limits.stateMagnitudeMax)
  const size = levelCount(spec, seasonLength)
  const levels = doubles(columns.get('levels'), size, limits.stateMagnitudeMax)
  const ages = integers(columns.get('ages'), seasonLength, 0, missing)
  if (deviation === undefined || deviation[0]! < 0 || levels === undefined || ages === undefined) {
    return badFormat('its state is out of range')
  }
  return done({
    family: 'baseline',
    spec,
    seasonLength,
    deviation: deviation[0]!,
    levels,
    ages,
    span,
    observations,
    missing,
  })
}

export function baselineBytes(model: BaselineModel): number {
  return bytesOf([model.levels, model.ages])
}

const columnNames = ['spec', 'counts', 'deviation', 'levels', 'ages'] as const
