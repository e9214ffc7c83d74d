import { fileNamePattern, namePattern } from '@almanac/shared'
import { Type } from 'typebox'
import { BoundsView } from './bounds-body.ts'

/** What the calls about messages take and give. */
export const MessageRequest = Type.Object(
  {
    file: Type.Optional(
      Type.String({ pattern: fileNamePattern, description: 'A file that is kept here; or url.' }),
    ),
    url: Type.Optional(
      Type.String({
        description: 'The same as s3://BUCKET/KEY in the place of files, or as /api/files/NAME.',
      }),
    ),
    model: Type.Optional(Type.String({ pattern: namePattern })),
    recipe: Type.Optional(
      Type.Unknown({ description: 'How rows become series: see docs/recipes.md.' }),
    ),
    spec: Type.Optional(Type.Unknown({ description: 'As in a fit.' })),
    bounds: Type.Optional(BoundsView),
  },
  { additionalProperties: false },
)

const origin = {
  topic: Type.String(),
  partition: Type.Integer(),
  offset: Type.String(),
}

export const PublishedMessage = Type.Object(origin)

export const DeadLettersPage = Type.Object({
  letters: Type.Array(
    Type.Object({
      ...origin,
      at: Type.String({ description: 'When it was left.' }),
      buriedAt: Type.String(),
      reason: Type.Object({
        code: Type.String(),
        detail: Type.String(),
        field: Type.Optional(Type.String()),
        remedy: Type.Optional(Type.String()),
      }),
      sizeBytes: Type.Integer(),
      message: Type.String({ description: 'At most its first 64 KiB; empty if it was too large.' }),
    }),
  ),
  next: Type.Union([Type.String(), Type.Null()]),
})
