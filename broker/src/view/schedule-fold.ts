import {
  codec,
  type ParsedKey,
  type ScheduleRecord as Record,
  ScheduleRecord,
} from '@almanac/shared'
import { createRecordFold, type Records } from './record-fold.ts'

export type ScheduleName = { readonly tenant: string; readonly name: string }

/** By key. */
export type Schedules = Records<ScheduleName, Record>

export const scheduleCodec = codec(ScheduleRecord)

/** The schedules, folded from the same events as the rest. */
export const createScheduleFold = (report: (key: string, fault: string) => void) =>
  createRecordFold<ScheduleName, Record>(nameOf, scheduleCodec, report)

const nameOf = (key: ParsedKey) =>
  key.kind === 'schedule' ? { tenant: key.tenant, name: key.name } : undefined
