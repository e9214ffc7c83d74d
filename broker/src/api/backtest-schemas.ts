import {
  BacktestEntry,
  BacktestScores,
  BacktestSettings,
  BacktestStep,
  limits,
  namePattern,
} from '@almanac/shared'
import { Type } from 'typebox'
import { ForecastQuery, JobView } from './schemas.ts'

const asked = BacktestSettings.properties

export const BacktestRequest = Type.Object(
  {
    version: Type.Optional(ForecastQuery.properties.version),
    spec: Type.Optional(
      Type.Unknown({ description: 'Another one than that of the version, judged on its data.' }),
    ),
    horizon: asked.horizon,
    windows: Type.Optional({ ...asked.windows, description: 'How many origins; 4 unless told.' }),
    step: Type.Optional({
      ...asked.step,
      description: 'Observations from one origin to the next; the horizon unless told.',
    }),
    levels: Type.Optional({ ...asked.levels, description: '80 and 95 unless told.' }),
    mode: Type.Optional({
      ...asked.mode,
      description: 'refit: a fit at each origin; update: one at the first, whose state moves on.',
    }),
    season: Type.Optional({
      ...asked.season,
      description: 'Of the scale of errors; that of the frequency, or else 1, unless told.',
    }),
  },
  { additionalProperties: false },
)

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])

const { model, version, state, progress, error, createdAt, endedAt } = JobView.properties
const summary = {
  ...{ job: Type.String(), model, version, state, progress },
  settings: BacktestSettings,
  scores: nullable(BacktestScores),
  ...{ error, createdAt, endedAt },
}

export const BacktestSummary = Type.Object(summary)
export const BacktestView = Type.Object({
  ...summary,
  spec: Type.Unknown({ description: 'Null where it is not kept any more.' }),
  steps: nullable(
    Type.Array(BacktestStep, {
      description: 'By steps ahead; null until it is done, and where it is not kept any more.',
    }),
  ),
})

export const BacktestsPage = Type.Object({
  backtests: Type.Array(BacktestSummary),
  next: nullable(Type.String()),
})

export const BacktestParams = Type.Object({
  model: Type.String({ pattern: namePattern }),
  job: Type.String({ maxLength: 64 }),
})

export const BacktestSeriesPage = Type.Object({
  series: Type.Array(BacktestEntry, { maxItems: limits.pageItemsMax }),
  next: nullable(Type.String()),
})

export const BacktestLines = Type.String({ description: 'A line for each series, as in a page.' })
export const BacktestRows = Type.String({
  description:
    'key,code,detail,windows,count,missing,season,scale,mase,smape,rmse,mae,bias,pinball,' +
    'scaledPinball[,coverage_80,coverage_95…]',
})
