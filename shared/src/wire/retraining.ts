import { type Static, Type } from 'typebox'

const Time = Type.String({ maxLength: 40 })
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Score = Type.Number({ minimum: 0 })

/** What a rule did when live accuracy was past its limit. */
export const RetrainingRun = Type.Object(
  {
    at: Time,
    /** `begun`: it has a job; `refused`: it could not be, and another try would not change that. */
    outcome: Type.Union([Type.Literal('begun'), Type.Literal('refused')]),
    /** The version whose accuracy it was. */
    judged: Count,
    liveMase: Score,
    observations: Count,
    /** Of the rule, then. */
    limit: Score,
    job: Type.Optional(Type.String({ maxLength: 64 })),
    /** The version that the job makes. */
    version: Type.Optional(Count),
    /** Of what was refused the last part of its problem's `type`. */
    reason: Type.Optional(Type.String({ maxLength: 100 })),
    detail: Type.Optional(Type.String({ maxLength: 500 })),
    /** Refusals in a row for the same reason, of which this is the last; absent: one. */
    times: Type.Optional(Count),
  },
  { additionalProperties: true },
)
export type RetrainingRun = Static<typeof RetrainingRun>

/** `/retraining/{tenant}/{model}`: from which live accuracy on a model is fitted again. */
export const RetrainingRecord = Type.Object(
  {
    /** The limit: a higher mean absolute scaled error is acted on. */
    liveMase: Type.Number({ exclusiveMinimum: 0 }),
    /** So many of the newest are judged, or the next more that updates have together. */
    observations: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    /** At least so long after a retraining was begun no other one is. */
    restSeconds: Count,
    enabled: Type.Boolean(),
    createdAt: Time,
    changedAt: Time,
    /** The version that it acted on last: none is acted on twice, unless the rule is changed. */
    acted: Type.Union([Count, Type.Null()]),
    /** When it last began one. */
    begunAt: Type.Union([Time, Type.Null()]),
    /** Newest first, a bounded number. */
    runs: Type.Array(RetrainingRun, { maxItems: 100 }),
  },
  { additionalProperties: true },
)
export type RetrainingRecord = Static<typeof RetrainingRecord>
