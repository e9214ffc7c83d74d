import { type Bounds, checkWithin, parseBounds } from '@almanac/engine'
import { ForecastBounds } from '@almanac/shared'
import { Type } from 'typebox'
import { type BodyFault, fault } from './series-body.ts'

/** As a fit's body has them, and as a version is told. */
export const BoundsView = Type.Object(ForecastBounds.properties, {
  additionalProperties: false,
  description: 'Within what forecasts are kept: lower, upper, or both; {"lower": 0} of sales.',
})

type Read = { readonly value: Bounds | undefined } | BodyFault

/** The bounds of a body, checked; none where it says nothing of them. */
export function readBounds(given: unknown): Read {
  if (given === undefined || given === null) return { value: undefined }
  const parsed = parseBounds(given)
  if (parsed.kind !== 'refused') return { value: parsed.value }
  const { code, detail, field = '', remedy } = parsed.reason
  return fault(code, detail, { field: `/bounds${field}`, ...(remedy ? { remedy } : {}) })
}

/** What is wrong with observations that stand in some field of a body; undefined: nothing. */
export function outsideBounds(
  y: readonly (number | null)[],
  bounds: Bounds | undefined,
  field: string,
): BodyFault | undefined {
  const outside = bounds && checkWithin(y, bounds)
  if (outside === undefined) return undefined
  const at = outside.field?.replace('/y', field) ?? field
  const remedy = 'Mend it, write null where it is missing, or fit without this bound.'
  return fault(outside.code, outside.detail, { field: at, remedy }, 422)
}
