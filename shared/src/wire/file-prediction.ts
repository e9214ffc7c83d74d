/** What a prediction from file to file is of, and what came of it: a part of its job's record. */
import { type Static, type TProperties, Type } from 'typebox'
import { ForecastBounds } from './forecast-bounds.ts'

/** Readers ignore fields that they do not know. */
const open = <T extends TProperties>(properties: T) =>
  Type.Object(properties, { additionalProperties: true })

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })
const FileName = Type.String({ maxLength: 300 })

export const FilePredictionResult = open({
  rows: Count,
  predicted: Count,
  /** Rows without a prediction by what lacked, the most frequent first. */
  unpredicted: Type.Array(
    open({
      /** Empty where the line is no row. */
      column: Type.String({ maxLength: 300 }),
      reason: Type.String({ maxLength: 300 }),
      rows: Count,
    }),
    { maxItems: 100 },
  ),
  sizeBytes: Count,
  sha256: Sha256,
})
export type FilePredictionResult = Static<typeof FilePredictionResult>

export const FilePrediction = open({
  file: FileName,
  /** Of the file when it was asked for: another content is another question. */
  etag: Type.String({ maxLength: 300 }),
  into: FileName,
  /** What predicts, so that it is kept as long as the job is open. */
  model: open({
    ...{ blob: Type.String({ minLength: 1, maxLength: 64 }), sha256: Sha256 },
    /** Of what it predicts; absent: none. */
    bounds: Type.Optional(ForecastBounds),
  }),
  /** Null until the job is done. */
  result: Type.Union([FilePredictionResult, Type.Null()]),
})
export type FilePrediction = Static<typeof FilePrediction>
