import { bytesOf, doubles, integers, readColumns, readSpec, specColumn } from '../codec/columns.ts'
import { badFormat, type Column, encodeContainer } from '../codec/container.ts'
import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done } from '../outcome.ts'
import { type Form, formsOf } from './form.ts'
import { type EtsModel, isSound } from './model.ts'
import { type EtsSpec, parseEtsSpec } from './spec.ts'

/** What `encodeEts` writes and the newest that `decodeEts` reads. */
export const etsFormat = 1

/** Format 1: the spec, the form that was chosen, parameters, first and last states. */
export function encodeEts(model: EtsModel): Uint8Array {
  const { form } = model
  const columns = new Map<string, Column>([
    ['spec', specColumn(model.spec)],
    ['form', Int32Array.of(...codes(form))],
    ['counts', Int32Array.of(model.observations, model.missing, model.pending)],
    ['scalars', Float64Array.of(model.scale, model.sigma2)],
    ['smoothing', model.smoothing],
    ['initial', model.initial],
    ['state', model.state],
  ])
  return encodeContainer({ family: 'ets', familyFormat: etsFormat, columns })
}

/** The model in some bytes, every number of it checked; never throws. */
export function decodeEts(bytes: Uint8Array): Outcome<EtsModel> {
  const outcome = readColumns(bytes, { family: 'ets', format: etsFormat, columns: columnNames })
  if (outcome.kind === 'refused') return outcome
  const columns = outcome.value
  const spec = readSpec(columns.get('spec'), parseEtsSpec)
  if (spec === undefined) return badFormat('the spec is invalid')
  const form = readForm(columns.get('form'), spec)
  if (form === undefined) return badFormat('the form is not one of the spec')
  const counts = integers(columns.get('counts'), 3, 0, limits.countMax)
  const [observations = 0, missing = 0, pending = 0] = counts ?? []
  if (observations < 1 || pending > missing || pending > limits.pendingMax) {
    return badFormat('counts are out of range')
  }
  const scalars = doubles(columns.get('scalars'), 2, limits.stateMagnitudeMax)
  const [scale = 0, sigma2 = -1] = scalars ?? []
  if (!(scale > 0 && sigma2 >= 0)) return badFormat('scale or variance are out of range')
  const smoothing = doubles(columns.get('smoothing'), 4, smoothingMax)
  const size = 2 + form.seasonLength
  const initial = doubles(columns.get('initial'), size, limits.stateMagnitudeMax)
  const state = doubles(columns.get('state'), size, limits.stateMagnitudeMax)
  if (!smoothing || !initial || !state) return badFormat('parameters or states are invalid')
  if (!isSmoothing(smoothing, form)) return badFormat('parameters are out of range')
  const model: EtsModel = {
    ...{ family: 'ets', spec, form, scale, smoothing, initial, sigma2 },
    ...{ state, pending, observations, missing },
  }
  const sound = isSound(model) && isSound({ ...model, state: initial })
  return sound ? done(model) : badFormat('a season is not above zero')
}

/** Bytes that a model keeps in memory: its numbers, and some for objects. */
export function etsBytes({ smoothing, initial, state }: EtsModel): number {
  return bytesOf([smoothing, initial, state])
}

const columnNames = ['spec', 'form', 'counts', 'scalars', 'smoothing', 'initial', 'state'] as const

const errors = ['A', 'M'] as const
const seasons = ['N', 'A', 'M'] as const

function codes({ error, trend, damped, season, seasonLength }: Form): number[] {
  const trendCode = trend === 'N' ? 0 : damped ? 2 : 1
  return [errors.indexOf(error), trendCode, seasons.indexOf(season), seasonLength]
}

function readForm(column: Column | undefined, spec: EtsSpec): Form | undefined {
  const numbers = integers(column, 4, 0, limits.etsSeasonLengthMax)
  const length = spec.seasonLength ?? Math.max(1, numbers?.[3] ?? 1)
  return formsOf(spec, length).find((form) => codes(form).every((code, i) => code === numbers?.[i]))
}

/** Alpha, beta and gamma of any bounds lie within this, around zero. */
const smoothingMax = 6

function isSmoothing(smoothing: Float64Array, form: Form): boolean {
  const [, beta, gamma, phi = 0] = smoothing
  if (form.trend === 'N' ? beta !== 0 || phi !== 0 : !(phi > 0 && phi <= 1)) return false
  return form.season === 'N' ? gamma === 0 : true
}
