import {
  codec,
  type ModelName,
  type ParsedKey,
  type RetrainingRecord as Record,
  RetrainingRecord,
} from '@almanac/shared'
import { createRecordFold, type Records } from './record-fold.ts'

/** By key. */
export type Retrainings = Records<ModelName, Record>

export const retrainingCodec = codec(RetrainingRecord)

/** The rules of retraining, folded from the same events as the rest. */
export const createRetrainingFold = (report: (key: string, fault: string) => void) =>
  createRecordFold<ModelName, Record>(nameOf, retrainingCodec, report)

const nameOf = (key: ParsedKey) =>
  key.kind === 'retraining' ? { tenant: key.tenant, model: key.model } : undefined
