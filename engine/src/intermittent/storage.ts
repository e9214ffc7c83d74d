import { bytesOf, doubles, integers, readColumns, readSpec, specColumn } from '../codec/columns.ts'
import { badFormat, type Column, encodeContainer } from '../codec/container.ts'
import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done } from '../outcome.ts'
import { variationMax } from './fit.ts'
import type { DemandModel } from './model.ts'
import type { DemandSpec } from './spec.ts'

export const demandFormat = 1

export function encodeDemands<Spec extends DemandSpec>(model: DemandModel<Spec>): Uint8Array {
  const columns = new Map<string, Column>([
    ['spec', specColumn(model.spec)],
    ['weights', Float64Array.of(model.sizeSmoothing, model.timeSmoothing)],
    ['first', Float64Array.of(model.firstSize, model.firstProbability)],
    ['variation', Float64Array.of(model.variation)],
    ['state', Float64Array.of(model.size, model.time)],
    ['counts', Int32Array.of(model.since, model.observations, model.missing, model.counts ? 1 : 0)],
  ])
  return encodeContainer({ family: model.family, familyFormat: demandFormat, columns })
}

/** The model in some bytes, every number of it checked; never throws. */
export function decodeDemands<Spec extends DemandSpec>(
  bytes: Uint8Array,
  family: Spec['family'],
  parse: (spec: Readonly<Record<string, unknown>>) => Outcome<Spec>,
): Outcome<DemandModel<Spec>> {
  const read = readColumns(bytes, { family, format: demandFormat, columns: columnNames })
  if (read.kind === 'refused') return read
  const columns = read.value
  const spec = readSpec(columns.get('spec'), parse)
  if (spec === undefined) return badFormat('its spec is invalid')
  const largest = limits.magnitudeMax
  const weights = positives(columns.get('weights'), 2, 1)
  const first = positives(columns.get('first'), 2, largest)
  const variation = positives(columns.get('variation'), 1, variationMax)
  const state = positives(columns.get('state'), 2, largest)
  if (!weights || !first || !variation || !state) return badFormat('its numbers are out of range')
  const counts = integers(columns.get('counts'), 4, 0, limits.countMax)
  const [since = 0, observations = 0, missing = 0, whole = 0] = counts ?? []
  if (observations < 1 || since > observations || whole > 1)
    return badFormat('its counts are wrong')
  const [size = 0, time = 0] = state
  const [firstSize = 0, firstProbability = 0] = first
  const possible =
    family === 'tsb'
      ? time <= 1 && firstProbability <= 1
      : firstSize === 0 &&
        firstProbability === 0 &&
        (time === 0 || time >= 1) &&
        time <= observations
  if (!possible) return badFormat('its state is impossible')
  return done({
    family,
    spec,
    sizeSmoothing: weights[0]!,
    timeSmoothing: weights[1]!,
    firstSize,
    firstProbability,
    variation: variation[0]!,
    counts: whole === 1,
    size,
    time,
    since,
    observations,
    missing,
  })
}

export function demandBytes(): number {
  return bytesOf([])
}

const columnNames = ['spec', 'weights', 'first', 'variation', 'state', 'counts'] as const

function positives(column: Column | undefined, length: number, most: number) {
  const values = doubles(column, length, most)
  return values?.every((value) => value >= 0) ? values : undefined
}
