import { type Static, Type } from 'typebox'

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/**
 * What one scaled error counted for at most. Absent of one series, whose errors count as they are,
 * and of many by a release that had no such bound: by these one series can outweigh all others.
 */
export const ErrorMax = Type.Optional(Type.Number({ exclusiveMinimum: 0 }))

/**
 * How well a version, and those that it goes on from, foresaw the observations that came: what a
 * fit left to divide errors by, and each update since, newest first.
 */
export const AccuracyRecord = Type.Object(
  {
    /**
     * The mean absolute change of the data of the fit from one season to the next; 1 of many
     * series, for each of them has its own.
     */
    scale: Type.Number({ exclusiveMinimum: 0 }),
    updates: Type.Array(
      Type.Object(
        {
          /** The version that has these observations. */
          version: Count,
          /** Observations that were there. */
          count: Count,
          /** The sum of their absolute errors, by the scale of their series. */
          scaled: Type.Number({ minimum: 0 }),
          errorMax: ErrorMax,
        },
        { additionalProperties: true },
      ),
      { maxItems: 100 },
    ),
  },
  { additionalProperties: true },
)
export type AccuracyRecord = Static<typeof AccuracyRecord>
