import { namePattern } from '@almanac/shared'
import { Type } from 'typebox'

export const ScheduleParams = Type.Object({ name: Type.String({ pattern: namePattern }) })

export const ScheduleRequest = Type.Object(
  {
    cron: Type.String({
      maxLength: 200,
      description: 'Minute, hour, day, month, weekday, like 30 2 * * 1-5; or @daily.',
    }),
    timezone: Type.Optional(
      Type.String({ maxLength: 100, description: 'Like Europe/Berlin; UTC without it.' }),
    ),
    action: Type.Unknown({
      description:
        '{"fit": {model, table, spec?, bounds?}}: reads the file anew and fits it; ' +
        '{"refit": {model}}: the table, or the data, of the version that serves.',
    }),
    enabled: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)

const RunView = Type.Object({
  instant: Type.String({ description: 'When it was due.' }),
  at: Type.String(),
  outcome: Type.String({ description: 'begun, refused, or skipped as the last was not finished.' }),
  by: Type.String({ description: 'schedule, or request.' }),
  job: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
  version: Type.Optional(Type.Integer()),
  reason: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
  missed: Type.Optional(Type.Integer({ description: 'Instants before it that nobody acted on.' })),
})

export const ScheduleView = Type.Object({
  name: Type.String(),
  cron: Type.String(),
  timezone: Type.String(),
  action: Type.Unknown(),
  enabled: Type.Boolean(),
  next: Type.Union([Type.String(), Type.Null()]),
  last: Type.Union([RunView, Type.Null()]),
  runs: Type.Array(RunView, { description: 'Newest first, of a bounded number.' }),
  createdAt: Type.String(),
  changedAt: Type.String(),
})

export const SchedulesPage = Type.Object({
  schedules: Type.Array(ScheduleView),
  next: Type.Union([Type.String(), Type.Null()]),
})
export const RemovedSchedule = Type.Object({ name: Type.String() })
