import { limits } from '@almanac/shared'
import { Type } from 'typebox'
import { nullable } from './schemas.ts'

export const RetrainingRequest = Type.Object(
  {
    liveMase: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1e6,
      description:
        'The limit: beyond this live accuracy the model is fitted again. Of many series it is 10 at most.',
    }),
    observations: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: limits.retrainingObservationsMax,
        description: `How many of the newest are judged; ${limits.retrainingObservations} without it.`,
      }),
    ),
    restSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: limits.retrainingRestSecondsMax,
        description: 'At least so long between two retrainings; a day without it.',
      }),
    ),
    enabled: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)

const RunView = Type.Object({
  at: Type.String(),
  outcome: Type.String({ description: 'begun, or refused.' }),
  judged: Type.Integer({ description: 'The version whose live accuracy it was.' }),
  liveMase: Type.Number(),
  observations: Type.Integer(),
  limit: Type.Number({ description: 'That of the rule, then.' }),
  job: Type.Optional(Type.String()),
  version: Type.Optional(Type.Integer({ description: 'What was begun makes this one.' })),
  state: Type.Optional(Type.String({ description: 'That of the version, now.' })),
  reason: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
  times: Type.Optional(Type.Integer({ description: 'Refusals in a row for this reason.' })),
})

export const RetrainingView = Type.Object({
  model: Type.String(),
  liveMase: Type.Number(),
  observations: Type.Integer(),
  restSeconds: Type.Integer(),
  enabled: Type.Boolean(),
  state: Type.String({
    description:
      'due, or why it does not act: off, no-version, held, open, too-few, below, acted, resting.',
  }),
  detail: Type.String(),
  window: nullable(
    Type.Object({
      liveMase: nullable(Type.Number()),
      observations: Type.Integer(),
      since: nullable(Type.Integer({ description: 'The version that has the oldest of them.' })),
    }),
  ),
  restsUntil: nullable(Type.String()),
  runs: Type.Array(RunView, { description: 'Newest first, of a bounded number.' }),
  createdAt: Type.String(),
  changedAt: Type.String(),
})

export const RetrainingsPage = Type.Object({
  retraining: Type.Array(RetrainingView),
  next: nullable(Type.String()),
})
export const RemovedRetraining = Type.Object({ model: Type.String() })
