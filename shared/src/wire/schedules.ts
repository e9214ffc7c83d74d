import { type Static, Type } from 'typebox'
import { namePattern } from './keys.ts'

const Time = Type.String({ maxLength: 40 })
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** What became of one instant of a schedule. */
export const ScheduleRun = Type.Object(
  {
    /** When it was due; of a run that somebody asked for, when that was. */
    instant: Time,
    at: Time,
    /**
     * `begun`: it has a job; `refused`: nothing could be begun, for a reason that another try would
     * not change; `skipped`: the job before it was not finished.
     */
    outcome: Type.Union([Type.Literal('begun'), Type.Literal('refused'), Type.Literal('skipped')]),
    by: Type.Union([Type.Literal('schedule'), Type.Literal('request')]),
    job: Type.Optional(Type.String({ maxLength: 64 })),
    model: Type.Optional(Type.String({ pattern: namePattern })),
    version: Type.Optional(Count),
    /** Of what was refused the last part of its problem's `type`. */
    reason: Type.Optional(Type.String({ maxLength: 100 })),
    detail: Type.Optional(Type.String({ maxLength: 500 })),
    /** Instants before it that passed while nobody could act: they are not made up for. */
    missed: Type.Optional(Count),
  },
  { additionalProperties: true },
)
export type ScheduleRun = Static<typeof ScheduleRun>

/** `/schedules/{tenant}/{name}`: what is to be begun when. */
export const ScheduleRecord = Type.Object(
  {
    cron: Type.String({ maxLength: 200 }),
    /** An IANA name. */
    timezone: Type.String({ maxLength: 100 }),
    /** As the client gave it; checked by who begins it. */
    action: Type.Unknown(),
    enabled: Type.Boolean(),
    createdAt: Time,
    changedAt: Time,
    /** Instants up to this one are dealt with. */
    until: Time,
    /** The last that it began: the next one waits for its end. */
    job: Type.Union([Type.String({ maxLength: 64 }), Type.Null()]),
    /** Newest first, a bounded number. */
    runs: Type.Array(ScheduleRun, { maxItems: 100 }),
  },
  { additionalProperties: true },
)
export type ScheduleRecord = Static<typeof ScheduleRecord>
