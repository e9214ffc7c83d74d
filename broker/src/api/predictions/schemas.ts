import { FilePredictionResult, UnpredictedRow } from '@almanac/shared'
import { Type } from 'typebox'
import { Progress } from '../schemas.ts'

export const PredictQuery = Type.Object(
  {
    version: Type.Optional(
      Type.String({ description: 'serving, previous, latest, or a number; serving unless told.' }),
    ),
  },
  { additionalProperties: false },
)
const PredictRows = Type.Object(
  {
    rows: Type.Array(Type.Record(Type.String(), Type.Unknown()), {
      description: 'Each with a value for each feature’s column; others are not looked at.',
    }),
  },
  { additionalProperties: false },
)
const PredictFile = Type.Object(
  {
    file: Type.String({ description: 'A stored file of CSV, compressed by gzip or not.' }),
    into: Type.String({
      description: 'The file to be: the same rows with the columns prediction and error.',
    }),
  },
  { additionalProperties: false },
)
export const PredictBody = Type.Union([PredictRows, PredictFile])
export const RowsBody = Type.String({
  description: 'CSV in UTF-8 with commas, a header, and a column for each feature of the model.',
})
export const PredictedBody = Type.String({
  description: 'The same rows in their order with two more columns, prediction and error.',
})
export const Predictions = Type.Object({
  model: Type.String(),
  version: Type.Integer(),
  predictions: Type.Array(
    Type.Object({
      prediction: Type.Union([Type.Number(), Type.Null()]),
      error: Type.Union([UnpredictedRow, Type.Null()]),
    }),
  ),
})

/** From file to file; `result` is null until it is done. */
export const FilePredictionView = Type.Object({
  job: Type.String(),
  model: Type.String(),
  version: Type.Integer(),
  state: Type.String(),
  file: Type.String(),
  into: Type.String(),
  progress: Progress,
  result: Type.Union([FilePredictionResult, Type.Null()]),
})
