import { Type } from 'typebox'
import { nullable } from '../schemas.ts'

const text = Type.String()
/** Words that only some answers have. */
const open = Type.Object({}, { additionalProperties: true })

export const Uploaded = Type.Object({
  message: text,
  url: text,
  name: text,
  sizeBytes: Type.Integer(),
  sha256: text,
  /** The job, or the problem for which there is none. */
  training: open,
})

export const Training = Type.Object({
  message: text,
  job: text,
  model: text,
  version: Type.Integer(),
  file: text,
})

export const Processed = Type.Object({ processingId: text, message: text })

export const Trained = Type.Object({ message: text, job: text, model: text })

export const Prepared = Type.Object({
  message: text,
  job_type: text,
  job_status: text,
  job: text,
  model: text,
})

export const Processing = Type.Object({
  processingId: text,
  FileName: text,
  job_type: text,
  job_status: text,
  recipe: Type.Unknown(),
  training: nullable(open),
})

export const Sales = Type.Array(
  Type.Object({
    date: text,
    'predicted sales': Type.Number(),
    lower: Type.Optional(Type.Number()),
    upper: Type.Optional(Type.Number()),
  }),
)
