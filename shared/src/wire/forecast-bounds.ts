import { type Static, Type } from 'typebox'

/**
 * Within what the forecasts of a version are kept, on the scale of its data. Readers ignore fields
 * that they do not know; those that do not know of bounds give forecasts without.
 */
export const ForecastBounds = Type.Object(
  { lower: Type.Optional(Type.Number()), upper: Type.Optional(Type.Number()) },
  { additionalProperties: true },
)
export type ForecastBounds = Static<typeof ForecastBounds>
