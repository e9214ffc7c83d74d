import {
  type Coordinator,
  Refused,
  type ScheduleRecord,
  scheduleKey,
  schedulesOf,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { findKept, listKept, putKept, removeKept } from '../jobs/kept-record.ts'
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
  return putKept(parts, keptOf(of), {
    what: `schedule ${of.name}`,
    changed: async (before) => {
      if (before === undefined) await mustHaveRoom(parts, of)
      return changed(before, asked, now)
    },
  })
}

/** Removes it; what it has begun goes on. False: there was none. */
export function deleteSchedule(parts: Parts, of: ScheduleName): Promise<boolean> {
  return removeKept(parts, keptOf(of).key)
}

/** At a linearizable read. Throws a 409 for one that this release cannot read. */
export async function findSchedule(
  parts: Pick<Parts, 'coordinator' | 'bounds'>,
  of: ScheduleName,
): Promise<HeldSchedule | undefined> {
  const held = await findKept(parts, keptOf(of))
  return held && { of, ...held }
}

/** All that can be read, by name. */
export async function listSchedules(
  parts: Pick<Parts, 'coordinator' | 'bounds'>,
  tenant: string,
): Promise<readonly HeldSchedule[]> {
  const prefix = schedulesOf(tenant)
  return (await listKept(parts, prefix)).flatMap(({ key, value, modRevision }) => {
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

const keptOf = ({ tenant, name }: ScheduleName) => ({
  key: scheduleKey(tenant, name),
  values: scheduleCodec,
})
