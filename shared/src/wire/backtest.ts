/**
 * What a backtest is made of and comes to. Its job's record has the settings and what all series
 * together came to; the rest is in blobs that the record names: the input, the result of each shard
 * of series, and the index of those.
 */
import { type Static, type TProperties, Type } from 'typebox'
import { limits } from '../base/limits.ts'
import { codec, type Decoded } from './codec.ts'
import { ForecastBounds } from './forecast-bounds.ts'
import { seriesKeyCharactersMax } from './shard-index.ts'

/** Readers ignore fields that they do not know. */
const open = <T extends TProperties>(properties: T) =>
  Type.Object(properties, { additionalProperties: true })

const Blob = Type.String({ minLength: 1, maxLength: 64 })
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Figure = Type.Union([Type.Number(), Type.Null()])

export const BacktestSettings = open({
  /** Steps ahead of each origin. */
  horizon: Type.Integer({ minimum: 1, maximum: limits.backtestHorizonMax }),
  /** Origins; the last one leaves just `horizon` observations. */
  windows: Type.Integer({ minimum: 1, maximum: limits.backtestWindowsMax }),
  /** Observations from one origin to the next. */
  step: Type.Integer({ minimum: 1, maximum: limits.backtestStepMax }),
  levels: Type.Array(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 100 }), {
    minItems: 1,
    maxItems: limits.levelsMax,
  }),
  mode: Type.Union([Type.Literal('refit'), Type.Literal('update')]),
  /** Of the scale of errors; null: as the frequency of a series says. */
  season: Type.Union([
    Type.Integer({ minimum: 1, maximum: limits.backtestSeasonMax }),
    Type.Null(),
  ]),
})
export type BacktestSettings = Static<typeof BacktestSettings>

const Errors = {
  mase: Figure,
  smape: Figure,
  rmse: Figure,
  mae: Figure,
  bias: Figure,
  pinball: Figure,
  scaledPinball: Figure,
}

const Coverage = Type.Array(open({ level: Type.Number(), coverage: Figure }), {
  maxItems: limits.levelsMax,
})

/** What all series together came to. */
export const BacktestScores = open({
  /** How many there are, and how many of them have errors. */
  series: Count,
  judged: Count,
  codes: Type.Record(Type.String({ maxLength: 100 }), Count),
  /** Forecasts with an observation to compare with, and those without, which count nowhere. */
  count: Count,
  missing: Count,
  /** Over series, each of which counts once. */
  mean: open(Errors),
  median: open(Errors),
  /** Over all forecasts of all series. */
  coverage: Coverage,
})
export type BacktestScores = Static<typeof BacktestScores>

/** The part of a job's record that only backtests have. */
export const BacktestState = open({
  settings: BacktestSettings,
  input: Blob,
  /** The index of the results; null until the job is done. */
  result: Type.Union([open({ blob: Blob, sha256: Sha256, sizeBytes: Count }), Type.Null()]),
  scores: Type.Union([BacktestScores, Type.Null()]),
})
export type BacktestState = Static<typeof BacktestState>

/** All data of some series: a data set, and then what updates added to it, in their order. */
const InputShard = Type.Object({
  /** The key of the first series; empty where there is only one, without a key. */
  first: Type.String({ maxLength: seriesKeyCharactersMax }),
  /** At most, with those that updates added. */
  series: Count,
  /** Which of so many equal parts of these series is meant; absent: all of them. */
  part: Type.Optional(Type.Object({ at: Count, of: Type.Integer({ minimum: 1 }) })),
  /** Null: only the store knows the checksum. */
  data: Type.Array(Type.Object({ blob: Blob, sha256: Type.Union([Sha256, Type.Null()]) }), {
    minItems: 1,
  }),
})

export const BacktestInput = Type.Object({
  format: Type.Literal(1),
  /** Whether keys tell series apart, and data is in shards of them. */
  kind: Type.Union([Type.Literal('one'), Type.Literal('many')]),
  spec: Type.Unknown(),
  /** Of the forecasts that are judged: those of the version. */
  bounds: Type.Optional(ForecastBounds),
  shards: Type.Array(InputShard, { minItems: 1, maxItems: limits.shardsMax }),
})
export type BacktestInput = Static<typeof BacktestInput>

/** One series, as a line of a shard's result and of what clients are told. */
export const BacktestEntry = open({
  /** Null where there is only one. */
  key: Type.Union([Type.String({ maxLength: seriesKeyCharactersMax }), Type.Null()]),
  code: Type.String(),
  detail: Type.String(),
  /** Origins that gave a forecast. */
  windows: Count,
  count: Count,
  missing: Count,
  season: Count,
  scale: Figure,
  ...Errors,
  coverage: Coverage,
})
export type BacktestEntry = Static<typeof BacktestEntry>

/** Sums of one step ahead, which add up over shards. */
const StepSums = open({
  ...{ count: Count, missing: Count, scaledCount: Count },
  ...{ error: Figure, absolute: Figure, squared: Figure, symmetric: Figure, pinball: Figure },
  ...{ scaledAbsolute: Figure, scaledPinball: Figure },
  inside: Type.Array(Count, { maxItems: limits.levelsMax }),
})

/** The first line of a shard's result; a `BacktestEntry` for each series comes after it. */
export const BacktestHead = open({ format: Type.Literal(1), steps: Type.Array(StepSums) })
export type BacktestHead = Static<typeof BacktestHead>

/** One step ahead, over all forecasts of all series. */
export const BacktestStep = open({
  step: Type.Integer({ minimum: 1 }),
  count: Count,
  missing: Count,
  ...Errors,
  coverage: Coverage,
})
export type BacktestStep = Static<typeof BacktestStep>

/** The blob that the record of a backtest names when it is done. */
export const BacktestResult = open({
  format: Type.Literal(1),
  steps: Type.Array(BacktestStep, { maxItems: limits.backtestHorizonMax }),
  shards: Type.Array(
    Type.Object({
      first: Type.String({ maxLength: seriesKeyCharactersMax }),
      blob: Blob,
      sha256: Sha256,
      sizeBytes: Count,
      series: Count,
      codes: Type.Record(Type.String(), Count),
    }),
    { minItems: 1, maxItems: limits.shardsMax },
  ),
})
export type BacktestResult = Static<typeof BacktestResult>

const inputs = codec(BacktestInput)
const results = codec(BacktestResult)
const heads = codec(BacktestHead)

/** Never throws, like its fellows. */
export const decodeBacktestInput = (bytes: Uint8Array): Decoded<BacktestInput> =>
  inputs.decode(textOf(bytes))
export const encodeBacktestInput = (input: BacktestInput): Uint8Array<ArrayBuffer> =>
  bytesOf(inputs.encode(input))
export const decodeBacktestResult = (bytes: Uint8Array): Decoded<BacktestResult> =>
  results.decode(textOf(bytes))
export const encodeBacktestResult = (result: BacktestResult): Uint8Array<ArrayBuffer> =>
  bytesOf(results.encode(result))

/** The result of one shard, taken apart: its lines are entries that nobody has read yet. */
export function decodeBacktestShard(
  bytes: Uint8Array,
): Decoded<BacktestHead & { readonly lines: readonly string[] }> {
  const [first = '', ...lines] = textOf(bytes).trimEnd().split('\n')
  const head = heads.decode(first)
  return head.ok ? { ok: true, value: { ...head.value, lines } } : head
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytesOf = (text: string) => Uint8Array.from(new TextEncoder().encode(text))
