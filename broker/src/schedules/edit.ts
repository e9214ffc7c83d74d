import {
  type Coordinator,
  modifiedAt,
  put,
  Refused,
  remove,
  type ScheduleRecord,
  scheduleKey,
  schedulesOf,
  Unavailable,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { contention } from '../jobs/contention.ts'
import { unheard } from '../jobs/unheard.ts'
import { unreadable } from '../jobs/unreadable.ts'
import { type ScheduleName, scheduleCodec } from '../view/schedule-fold.ts'
import type { HeldSchedule } from './run.ts'

type Parts = {
  readonly coordinator: Coordinator
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'contentionTriesMax' | 'schedulesMax'>
}

/** What a client says of a schedule, checked. */
export type Asked = Pick<ScheduleRecord, 'cron' | 'timezone' | 'action' | 'enabled'>

/**
 * Makes a schedule, or changes one: what it remembers stays. Instants before a change of when it
 * runs are nobody's. Throws a 409 when there are too many, or one that cannot be read.
 */
export async function putSchedule(
  parts: Parts,
  of: ScheduleName,
  asked: Asked,
  now: string,
): Promise<{ readonly record: ScheduleRecord; readonly isNew: boolean }> {
  for (let tries = 1; tries <= parts.bounds.contentionTriesMax; tries += 1) {
    const held = await findSchedule(parts, of)
    if (held === undefined) await mustHaveRoom(parts, of)
    const record = changed(held?.record, asked, now)
    const then = [put(keyOf(of), scheduleCodec.encode(record))]
    if (await change(parts, of, held?.modRevision ?? 0, then))
      return { record, isNew: held === undefined }
  }
  throw contention(`schedule ${of.name}`)
}

/** Removes it; what it has begun goes on. False: there was none. */
export async function deleteSchedule(parts: Parts, of: ScheduleName): Promise<boolean> {
  const signal = AbortSignal.timeout(parts.bounds.coordinatorCallMs)
  const entry = await parts.coordinator.get(keyOf(of), signal)
  if (entry === undefined) return false
  await change(parts, of, undefined, [remove(keyOf(of))])
  return true
}

/** At a linearizable read. Throws a 409 for one that this release cannot read. */
export async function findSchedule(
  { coordinator, bounds }: Pick<Parts, 'coordinator' | 'bounds'>,
  of: ScheduleName,
): Promise<HeldSchedule | undefined> {
  const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
  const entry = await coordinator.get(keyOf(of), signal)
  if (entry === undefined) return undefined
  const decoded = scheduleCodec.decode(entry.value)
  if (!decoded.ok) throw unreadable(entry.key, decoded.fault)
  return { of, record: decoded.value, modRevision: entry.modRevision }
}

/** All that can be read, by name. */
export async function listSchedules(
  { coordinator, bounds }: Pick<Parts, 'coordinator' | 'bounds'>,
  tenant: string,
): Promise<readonly HeldSchedule[]> {
  const prefix = schedulesOf(tenant)
  const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
  const { entries } = await coordinator.list(prefix, signal)
  return entries.flatMap(({ key, value, modRevision }) => {
    const decoded = scheduleCodec.decode(value)
    const of = { tenant, name: key.slice(prefix.length) }
    return decoded.ok ? [{ of, record: decoded.value, modRevision }] : []
  })
}

async function mustHaveRoom(parts: Parts, { tenant }: ScheduleName): Promise<void> {
  const { schedulesMax } = parts.bounds
  if ((await listSchedules(parts, tenant)).length < schedulesMax) return
  throw new Refused(409, 'too-many-schedules', `There are ${schedulesMax} schedules already.`, {
    remedy: 'Delete one that is not needed: DELETE /api/schedules/{name}.',
  })
}

function changed(before: ScheduleRecord | undefined, asked: Asked, now: string): ScheduleRecord {
  const isSame = before?.cron === asked.cron && before.timezone === asked.timezone && before.enabled
  return {
    ...(before ?? { createdAt: now, job: null, runs: [] }),
    ...asked,
    changedAt: now,
    until: before && isSame ? before.until : now,
  }
}

async function change(
  { coordinator, bounds }: Parts,
  of: ScheduleName,
  revision: number | undefined,
  then: Parameters<Coordinator['transact']>[0]['then'],
): Promise<boolean> {
  const when = revision === undefined ? [] : [modifiedAt(keyOf(of), revision)]
  const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
  try {
    return (await coordinator.transact({ when, then }, signal)).succeeded
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    throw unheard('Do it again: that does no harm.')
  }
}

const keyOf = ({ tenant, name }: ScheduleName) => scheduleKey(tenant, name)
