import { type Static, Type } from 'typebox'
import { limits } from '../base/limits.ts'
import type { ModelName } from './keys.ts'

/** Whether a version predicts rows of a table, by its spec, and not what follows a series. */
export function isRegression(spec: unknown): boolean {
  return (
    typeof spec === 'object' && spec !== null && 'family' in spec && spec.family === 'regression'
  )
}

export const predictionsPath = ({ tenant, model }: ModelName, version: number, load: boolean) =>
  `/internal/v1/predictions/${tenant}/${model}/${version}${load ? '?load=true' : ''}`

/** Rows as texts, each with a cell for each column; null: there is no value. */
export const PredictOrder = Type.Object({
  columns: Type.Array(Type.String(), { maxItems: 1_000 }),
  rows: Type.Array(Type.Array(Type.Union([Type.String(), Type.Null()]), { maxItems: 1_000 }), {
    maxItems: limits.predictedRowsMax,
  }),
})
export type PredictOrder = Static<typeof PredictOrder>

/** Why a row has no prediction: which of its columns, and what about it. */
export const UnpredictedRow = Type.Object({ column: Type.String(), reason: Type.String() })
export type UnpredictedRow = Static<typeof UnpredictedRow>

/** In the order of the rows. */
export const PredictReply = Type.Object({
  predictions: Type.Array(Type.Union([Type.Number(), UnpredictedRow])),
})
export type PredictReply = Static<typeof PredictReply>
