import {
  backoffMs,
  type Clock,
  type Comparison,
  type Coordinator,
  CounterRecord,
  codec,
  codecs,
  counterKey,
  type Entry,
  logKey,
  type ModelName,
  type ModelRecord,
  modelKey,
  modifiedAt,
  type Operation,
  put,
  type Random,
  Refused,
  remove,
  retrainingKey,
  type Transaction,
  Unavailable,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { unheard } from '../jobs/unheard.ts'
import { unreadable } from '../jobs/unreadable.ts'
import { logs } from './execute.ts'

export type ControlParts = {
  readonly coordinator: Coordinator
  readonly clock: Clock
  readonly random: Random
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'contentionTriesMax'>
  readonly who: string
}

/** What was changed, and when. */
export type Changed = { readonly record: ModelRecord; readonly revision: number }

/** A change of a model by a person: what the record is now, or was when nothing had to change. */
type Change = {
  readonly record: ModelRecord
  readonly when?: readonly Comparison[]
  readonly then?: readonly Operation[]
}

/**
 * Sets the target to a stored version and holds it there. Replaces a rollout in progress. Throws
 * `Refused` when there is no such model or version.
 */
export async function rollBack(
  parts: ControlParts,
  of: ModelName,
  asked: number | undefined,
): Promise<Changed> {
  return await change(parts, of, async (record, signal) => {
    const version = asked ?? record.previous
    if (version === null)
      throw new Refused(409, 'no-previous', `No version of ${of.model} served before this one.`)
    const entry = await parts.coordinator.get(versionKey(of, version), signal)
    await requireStored(parts, of, record, version, entry, signal)
    const when = [modifiedAt(versionKey(of, version), entry?.modRevision ?? 0)]
    return { record: { ...record, target: version, hold: true, why: 'rollback' }, when }
  })
}

/** Lets finishing fits change the target again. */
export async function release(parts: ControlParts, of: ModelName): Promise<Changed> {
  return await change(parts, of, async (record) => ({ record: { ...record, hold: false } }))
}

/**
 * Leaves a tombstone. The counter is written again as it is, so that a fit that is being allocated
 * for the old model fails and is begun anew.
 */
export async function deleteModel(
  parts: ControlParts,
  of: ModelName,
): Promise<{ readonly record: ModelRecord; readonly lastVersion: number }> {
  let lastVersion = 0
  const { record } = await change(parts, of, async (before, signal) => {
    const counter = await parts.coordinator.get(counterKey(of), signal)
    const decoded = counter && counters.decode(counter.value)
    lastVersion = decoded?.ok ? decoded.value.last : before.high
    const at = parts.clock.wallTime()
    const changes = before.changes + 1
    const gone = { serving: null, target: null, previous: null, hold: false, deletedAt: at }
    const from = before.serving
    const entry = logs.encode({ from, to: null, why: 'deleted', who: parts.who, at })
    // A rule of retraining belongs to its model: another one of this name has none.
    const then = [put(logKey(of, changes), entry), remove(retrainingKey(of))]
    if (counter) then.push(put(counterKey(of), counter.value))
    return {
      record: { ...before, ...gone, changes },
      when: [modifiedAt(counterKey(of), counter?.modRevision ?? 0)],
      then,
    }
  })
  return { record, lastVersion }
}

const counters = codec(CounterRecord)

async function transacted(coordinator: Coordinator, transaction: Transaction, signal: AbortSignal) {
  try {
    return await coordinator.transact(transaction, signal)
  } catch (error) {
    if (error instanceof Unavailable) throw unheard('Look at the model before you try again.')
    throw error
  }
}

async function change(
  parts: ControlParts,
  of: ModelName,
  plan: (record: ModelRecord, signal: AbortSignal) => Promise<Change>,
): Promise<Changed> {
  const { coordinator, bounds, clock, random } = parts
  const key = modelKey(of)
  for (let tries = 1; tries <= bounds.contentionTriesMax; tries += 1) {
    const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
    const entry = await coordinator.get(key, signal)
    const before = liveRecord(of, entry)
    const { record, when = [], then = [] } = await plan(before, signal)
    const transaction = {
      when: [modifiedAt(key, entry?.modRevision ?? 0), ...when],
      then: [put(key, codecs.model.encode(record)), ...then],
    }
    const { succeeded, revision } = await transacted(coordinator, transaction, signal)
    if (succeeded) return { record, revision }
    await clock.sleep(backoffMs(tries, 5, 200, random), AbortSignal.timeout(5_000))
  }
  throw new Refused(503, 'contention', `${of.model} is being changed by too many at once.`, {
    retryAfterSeconds: 1,
  })
}

function liveRecord(of: ModelName, entry: Entry | undefined): ModelRecord {
  const record = entry && codecs.model.decode(entry.value)
  if (record && !record.ok) throw unreadable(modelKey(of), record.fault)
  if (record === undefined || record.value.deletedAt !== null)
    throw new Refused(404, 'no-such-model', `There is no model ${of.model}.`, { field: 'model' })
  return record.value
}

async function requireStored(
  { coordinator }: ControlParts,
  of: ModelName,
  record: ModelRecord,
  version: number,
  entry: Entry | undefined,
  signal: AbortSignal,
): Promise<void> {
  const refuse = (status: number, code: string, why: string) =>
    new Refused(status, code, `Version ${version} of ${of.model} ${why}.`, { field: 'version' })
  const decoded = entry && codecs.version.decode(entry.value)
  const known: VersionRecord | undefined = decoded?.ok ? decoded.value : undefined
  if (version <= record.floor) throw refuse(410, 'version-gone', 'belonged to a deleted model')
  if (known === undefined) {
    const counter = await coordinator.get(counterKey(of), signal)
    const last = counter && counters.decode(counter.value)
    if (version > (last?.ok ? last.value.last : 0))
      throw refuse(404, 'no-such-version', 'does not exist')
    throw refuse(410, 'version-gone', 'was collected')
  }
  if (known.state === 'stored') return
  if (known.state !== 'failed') throw refuse(409, 'version-not-ready', `is ${known.state}`)
  const { phase = 'fit', reason = 'unknown' } = known.error ?? {}
  throw refuse(422, 'version-failed', `failed (${phase}: ${reason})`)
}
