import { UnpredictedRow } from '@almanac/shared'
import { Type } from 'typebox'

export const PredictQuery = Type.Object(
  {
    version: Type.Optional(
      Type.String({ description: 'serving, previous, latest, or a number; serving unless told.' }),
    ),
  },
  { additionalProperties: false },
)
export const PredictBody = Type.Object(
  {
    rows: Type.Array(Type.Record(Type.String(), Type.Unknown()), {
      description: 'Each with a value for each feature’s column; others are not looked at.',
    }),
  },
  { additionalProperties: false },
)
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
