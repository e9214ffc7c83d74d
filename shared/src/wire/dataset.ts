/**
 * The stored form of one fit's data: a versioned JSON container in UTF-8. `y` holds null where an
 * observation is missing.
 */
import { type Static, Type } from 'typebox'

export const DatasetSeries = Type.Object({
  key: Type.Union([Type.String({ maxLength: 200 }), Type.Null()]),
  /** ISO 8601; null when the user gave none. */
  start: Type.Union([Type.String({ maxLength: 40 }), Type.Null()]),
  frequency: Type.Union([Type.String({ maxLength: 20 }), Type.Null()]),
  /** Of the IANA data base; UTC when absent. */
  timezone: Type.Optional(Type.String({ maxLength: 64 })),
  y: Type.Array(Type.Union([Type.Number(), Type.Null()])),
})

export const Dataset = Type.Object({
  format: Type.Literal(1),
  series: Type.Array(DatasetSeries, { minItems: 1, maxItems: 1 }),
})
export type Dataset = Static<typeof Dataset>

export function encodeDataset(dataset: Dataset): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(dataset))
}
