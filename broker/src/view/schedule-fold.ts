import {
  codec,
  type Entry,
  parseKey,
  type ScheduleRecord as Record,
  ScheduleRecord,
  type WatchEvent,
} from '@almanac/shared'

export type ScheduleName = { readonly tenant: string; readonly name: string }

/** By key. */
export type Schedules = ReadonlyMap<
  string,
  { readonly of: ScheduleName; readonly record: Record; readonly modRevision: number }
>

export const scheduleCodec = codec(ScheduleRecord)

/** The schedules, folded from the same events as the rest. */
export function createScheduleFold(report: (key: string, fault: string) => void): {
  readonly all: Schedules
  apply(event: WatchEvent): void
} {
  const all = new Map<string, { of: ScheduleName; record: Record; modRevision: number }>()
  const put = ({ key, value, modRevision }: Entry) => {
    const of = parseKey(key)
    if (of.kind !== 'schedule') return
    const decoded = scheduleCodec.decode(value)
    if (decoded.ok) all.set(key, { of, record: decoded.value, modRevision })
    else {
      all.delete(key)
      report(key, decoded.fault)
    }
  }
  return {
    all,
    apply(event) {
      if (event.kind === 'progress') return
      if (event.kind === 'snapshot') {
        all.clear()
        for (const entry of event.entries) put(entry)
        return
      }
      for (const change of event.changes) {
        if (change.kind === 'put') put(change.entry)
        else all.delete(change.key)
      }
    },
  }
}
