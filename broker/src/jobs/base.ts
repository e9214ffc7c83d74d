import {
  type Coordinator,
  CounterRecord,
  codec,
  codecs,
  counterKey,
  type ModelName,
  type ModelRecord,
  modelKey,
  Refused,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { readRecord } from './read-record.ts'

/** A stored version that another one goes on from, as it was read. */
export type Base = {
  readonly record: VersionRecord
  readonly modRevision: number
  /** The last version allocated then. Null where the client named the base: then any may be. */
  readonly last: number | null
}

type Parts = {
  readonly coordinator: Coordinator
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'baseLooksMax'>
}

const counters = codec(CounterRecord)

/**
 * The version that new observations of a model go on from: the one that the client names, or the
 * newest that did not fail. That one may be on its way still: what comes after it can wait, but
 * must not be added to an older one, which lacks what it has. Throws `Refused` where there is none.
 */
export async function findBase(
  parts: Parts,
  of: ModelName,
  asked: number | null,
  signal: AbortSignal,
): Promise<Base> {
  const [model, last] = await Promise.all([
    readRecord(parts, modelKey(of), codecs.model, signal),
    readRecord(parts, counterKey(of), counters, signal),
  ])
  if (model === undefined || last === undefined || model.record.deletedAt !== null)
    throw new Refused(404, 'no-such-model', `There is no model ${of.model} to add to.`, {
      field: 'model',
      remedy: 'Fit one: POST /api/models/{model}/fit.',
    })
  if (asked !== null) return await namedBase(parts, of, asked, model.record, signal)
  if (model.record.hold) throw held(of, model.record)
  const { floor } = model.record
  const lowest = Math.max(floor + 1, last.record.last - parts.bounds.baseLooksMax + 1)
  for (let version = last.record.last; version >= lowest; version -= 1) {
    const found = await readRecord(parts, versionKey(of, version), codecs.version, signal)
    if (found === undefined || found.record.state === 'failed') continue
    if (found.record.state !== 'stored') throw notYet(of, version)
    return { ...found, last: last.record.last }
  }
  throw new Refused(
    409,
    'no-base',
    `No version of ${of.model} was fitted that could be added to.`,
    {
      remedy: 'Fit the model: POST /api/models/{model}/fit.',
    },
  )
}

async function namedBase(
  parts: Parts,
  of: ModelName,
  asked: number,
  { floor }: ModelRecord,
  signal: AbortSignal,
): Promise<Base> {
  const found = await readRecord(parts, versionKey(of, asked), codecs.version, signal)
  const name = `Version ${asked} of ${of.model}`
  if (found === undefined || asked <= floor)
    throw new Refused(404, 'no-such-version', `${name} is not there, or not any more.`, {
      field: '/base',
    })
  const { state } = found.record
  if (state === 'queued' || state === 'fitting') throw notYet(of, asked)
  if (state === 'failed')
    throw new Refused(409, 'base-failed', `${name} failed: there is nothing to go on from.`, {
      field: '/base',
    })
  return { ...found, last: null }
}

function held(of: ModelName, { serving }: ModelRecord): Refused {
  const detail = `${of.model} was rolled back to version ${serving}, and newer ones are held.`
  return new Refused(409, 'held', detail, {
    remedy: `Release the model, or say what to go on from: {"base": ${serving}, …}.`,
  })
}

function notYet({ model }: ModelName, version: number): Refused {
  const detail = `Version ${version} of ${model} is not fitted yet, and comes before these.`
  return new Refused(409, 'base-not-ready', detail, {
    retryAfterSeconds: 1,
    remedy: `Nothing was taken. Send them again when version ${version} is stored.`,
  })
}
