import { type Static, type TObject, type TProperties, Type } from 'typebox'
import { limits } from '../base/limits.ts'
import { AccuracyRecord, ErrorMax } from './accuracy.ts'
import { BacktestState } from './backtest.ts'
import { FilePrediction } from './file-prediction.ts'
import { ForecastBounds } from './forecast-bounds.ts'
import { JobEvent, jobEventsMax } from './job-log.ts'
import { namePattern } from './keys.ts'

/**
 * The values of the coordinator. Readers ignore fields that they do not know and writers keep
 * them (spread the record that was read), so that two releases can run side by side.
 */
const record = <T extends TProperties>(properties: T): TObject<T> =>
  Type.Object(properties, { additionalProperties: true })

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])

const Version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Time = Type.String({ maxLength: 40 })
const Name = Type.String({ pattern: namePattern })
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })

/** `/models/{tenant}/{model}`: what serves and what should; written by brokers only. */
export const ModelRecord = record({
  serving: nullable(Version),
  /** Equal to `serving` when no rollout is in progress. */
  target: nullable(Version),
  previous: nullable(Version),
  /** The highest version ever targeted. */
  high: Count,
  /** Set by a rollback: finishing fits do not change the target until it is released. */
  hold: Type.Boolean(),
  /** Promotions so far; the number of the newest log entry. */
  changes: Count,
  /** Versions up to this one belong to a model of this name that was deleted. */
  floor: Count,
  /** Why `target` was set: what the log will say. */
  why: Type.Union([Type.Literal('fit'), Type.Literal('rollback')]),
  createdAt: Time,
  /** A tombstone when set: the model is gone, its counter is not. */
  deletedAt: nullable(Time),
})
export type ModelRecord = Static<typeof ModelRecord>

/** `…/counter`: the last version allocated. Outlives deletion and never restarts. */
export const CounterRecord = record({ last: Version })
export type CounterRecord = Static<typeof CounterRecord>

export const FailureRecord = record({
  phase: Type.Union([
    Type.Literal('fit'),
    Type.Literal('rollout'),
    Type.Literal('deleted'),
    Type.Literal('backtest'),
    Type.Literal('predict'),
  ]),
  /** A stable word, such as `too-short`, `attempts-exhausted`, `checksum`, `deadline`. */
  reason: Type.String({ maxLength: 100 }),
  detail: Type.String({ maxLength: 2_000 }),
})
export type FailureRecord = Static<typeof FailureRecord>

/** `…/versions/{version}`: one fit and what came of it. */
export const VersionRecord = record({
  version: Version,
  state: Type.Union([
    Type.Literal('queued'),
    Type.Literal('fitting'),
    Type.Literal('stored'),
    Type.Literal('failed'),
  ]),
  job: Type.String({ maxLength: 64 }),
  spec: Type.Unknown(),
  /** Of its forecasts, and of those of versions that go on from it; absent: none. */
  bounds: Type.Optional(ForecastBounds),
  dataset: record({ blob: Type.String({ maxLength: 64 }), observations: Count }),
  /**
   * How many series there are, where they are told apart by keys: then `blob` and that of the data
   * set are indexes of shards. Absent where there is one, which is its blob.
   */
  series: Type.Optional(Count),
  /** The table that the data is made of, by a recipe; absent where the data itself was given. */
  table: Type.Optional(
    record({
      file: Type.String({ maxLength: 300 }),
      /** The blob that has file and recipe. */
      source: Type.String({ maxLength: 64 }),
      /** What was read, and the rows that were rejected or changed; null until it is prepared. */
      report: nullable(Type.String({ maxLength: 64 })),
      rejects: nullable(Type.String({ maxLength: 64 })),
    }),
  ),
  /**
   * Of many series whose data came in parts: the versions that have them, from a fit on, each with
   * the index of its data. Absent once a node has joined them, after which the data is whole.
   */
  parts: Type.Optional(
    Type.Array(
      record({ version: Version, blob: Type.String({ maxLength: 64 }), observations: Count }),
      {
        minItems: 1,
        maxItems: limits.transactionComparisonsMax,
      },
    ),
  ),
  /**
   * Of a fit of all data that a model has: the version that had all of it. What came since would be
   * lost to another try of the same.
   */
  allUpTo: Type.Optional(Version),
  /**
   * The stored version that this one goes on from: its data set holds only what came after, and of
   * many series only shards that have any; the others are those of the base. Absent where all data
   * is fitted anew.
   */
  base: Type.Optional(
    record({ version: Version, blob: Type.String({ maxLength: 64 }), sha256: Sha256 }),
  ),
  /** When the first observation was and how many steps the data has; absent where not told. */
  calendar: Type.Optional(
    record({
      start: Time,
      frequency: Type.String({ maxLength: 20 }),
      /** UTC when absent. */
      timezone: Type.Optional(Type.String({ maxLength: 64 })),
      steps: Count,
    }),
  ),
  /** Absent where nothing can be said of it. */
  accuracy: Type.Optional(AccuracyRecord),
  /** Why it was begun, where nobody asked for it by itself. */
  why: Type.Optional(Type.String({ maxLength: 300 })),
  /** The model's blob id; null until stored. */
  blob: nullable(Type.String({ maxLength: 64 })),
  sha256: nullable(Sha256),
  sizeBytes: nullable(Count),
  error: nullable(FailureRecord),
  /** What the fit reports about itself: plain numbers and short texts. */
  metrics: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String({ maxLength: 500 })])),
  times: record({
    createdAt: Time,
    fittingAt: nullable(Time),
    storedAt: nullable(Time),
    failedAt: nullable(Time),
  }),
})
export type VersionRecord = Static<typeof VersionRecord>

/** `…/log/{n}`: which version served after which, and why. */
export const LogRecord = record({
  from: nullable(Version),
  to: nullable(Version),
  why: Type.Union([Type.Literal('fit'), Type.Literal('rollback'), Type.Literal('deleted')]),
  who: Type.String({ maxLength: 200 }),
  at: Time,
})
export type LogRecord = Static<typeof LogRecord>

/**
 * `/jobs/{id}`. `fit`: all data of the version; `update`: its base and what came after; `fit-shards`
 * and `update-shards`: the same of many series, in shards that several nodes work on; `fit-table`:
 * series that one node makes of a table first, after which it is a `fit-shards`; `fit-parts`: the same
 * of series whose data came in parts, which one node joins first; `backtest`: makes no
 * version, but judges a spec by the data of one, in shards; `fit-regression`: a model that predicts
 * rows, fitted by one node to a table; `predict`: makes no version, but predicts the rows of a file
 * by one, into another file. Who does not know a kind skips such a job, and does not take
 * its data for something else. `queued`: nobody works on it; `running`: somebody did,
 * as claims say.
 */
export const JobRecord = record({
  id: Type.String({ maxLength: 64 }),
  kind: Type.Union([
    Type.Literal('fit'),
    Type.Literal('update'),
    Type.Literal('fit-shards'),
    Type.Literal('update-shards'),
    Type.Literal('fit-table'),
    Type.Literal('backtest'),
    Type.Literal('fit-regression'),
    Type.Literal('fit-parts'),
    Type.Literal('predict'),
  ]),
  subject: record({ tenant: Name, model: Name, version: Version }),
  state: Type.Union([
    Type.Literal('queued'),
    Type.Literal('running'),
    Type.Literal('done'),
    Type.Literal('failed'),
  ]),
  attempts: Count,
  progress: record({
    phase: Type.String({ maxLength: 50 }),
    fraction: Type.Number(),
    /** Where they are counted. */
    rows: Type.Optional(Count),
  }),
  error: nullable(FailureRecord),
  requestId: Type.String({ maxLength: 100 }),
  createdAt: Time,
  endedAt: nullable(Time),
  /** Of a job of shards: how many there are to work on. */
  shards: Type.Optional(Count),
  /** Why it was begun, where nobody asked for it by itself: a retry, a schedule, decay. */
  why: Type.Optional(Type.String({ maxLength: 300 })),
  /** What happened to it, in order; see `noted`. */
  log: Type.Optional(Type.Array(JobEvent, { maxItems: 2 * jobEventsMax })),
  /** Of a backtest: how it is done, of what, and what it came to. */
  backtest: Type.Optional(BacktestState),
  /** Of a prediction: from which file into which, and what came of it. */
  prediction: Type.Optional(FilePrediction),
})
export type JobRecord = Static<typeof JobRecord>

/** Whether such a job makes the version that it is of; else that one was there before. */
export function makesVersion(kind: JobRecord['kind']): boolean {
  return kind !== 'backtest' && kind !== 'predict'
}

/** Whether all nodes work on such a job at once, shard by shard. */
export function isOfShards(kind: JobRecord['kind']): boolean {
  return kind === 'fit-shards' || kind === 'update-shards' || kind === 'backtest'
}

/** `/jobs/{id}/shards/{n}`: one shard of a job, from its first claim until the job has ended. */
export const ShardRecord = record({
  /** Claims that did not end in order: their nodes were lost, or else will give them back. */
  attempts: Count,
  /** The models of the shard, or the results of a backtest; null while it is not done. */
  fitted: nullable(
    record({
      blob: Type.String({ maxLength: 64 }),
      sha256: Sha256,
      sizeBytes: Count,
      series: Count,
      /** How many series have which result code. */
      codes: Type.Record(Type.String({ maxLength: 100 }), Count),
      /**
       * Of an update: observations that its base had foreseen, and the sum of their absolute
       * errors, each by the scale of its series. Absent where there is none, and from older nodes.
       */
      live: Type.Optional(
        record({ count: Count, scaled: Type.Number({ minimum: 0 }), errorMax: ErrorMax }),
      ),
    }),
  ),
  /** How much of it is done, from 0 to 1, as who works on it said last; mostly nobody says. */
  progress: Type.Optional(Type.Number()),
  /** Why nobody will ever fit it; then the job fails. */
  error: nullable(
    record({ reason: Type.String({ maxLength: 100 }), detail: Type.String({ maxLength: 2_000 }) }),
  ),
  /** When and by whom it was fitted or given up. */
  ended: Type.Optional(record({ at: Time, node: Type.String({ maxLength: 100 }) })),
})
export type ShardRecord = Static<typeof ShardRecord>

/** `/claims/{job}` and `/claims/{job}/{shard}`: leased; the create revision is the fencing token. */
export const ClaimRecord = record({
  node: Type.String({ maxLength: 100 }),
  instance: Type.String({ maxLength: 64 }),
  since: Time,
})
export type ClaimRecord = Static<typeof ClaimRecord>

/** `/requests/{tenant}/{hash}`: the job that an `Idempotency-Key` made; leased for a day. */
export const RequestRecord = record({
  job: Type.String({ maxLength: 64 }),
  model: Name,
  version: Version,
  /** SHA-256 of the body: the same key with another body is refused. */
  body: Sha256,
})
export type RequestRecord = Static<typeof RequestRecord>

/** `/nodes/{ip}_{port}`: a process that answers at this address while its lease lives. */
export const NodeRecord = record({
  ip: Type.String({ maxLength: 64 }),
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  /** Minted at every start: another process at the same address is another instance. */
  instance: Type.String({ maxLength: 64 }),
  roles: Type.Array(Type.Union([Type.Literal('fit'), Type.Literal('serve')]), { maxItems: 8 }),
  /** Fits that it works on or has queued, and how many it would take. */
  capacity: record({ fits: Count, fitsBusy: Count }),
  protocol: Type.Integer(),
  /** Model container formats that it can decode. */
  formats: Type.Array(Type.Integer(), { maxItems: 32 }),
  startedAt: Time,
})
export type NodeRecord = Static<typeof NodeRecord>

/** `/nodes/{ip}_{port}/models/{tenant}/{model}`: what the node can answer for. Same lease. */
export const NodeModelRecord = record({
  instance: Type.String({ maxLength: 64 }),
  /** Version numbers, warmed up and ready. */
  loaded: Type.Array(Version, { maxItems: 64 }),
  failed: Type.Array(
    record({
      version: Version,
      reason: Type.String({ maxLength: 500 }),
      retriable: Type.Boolean(),
    }),
    { maxItems: 64 },
  ),
})
export type NodeModelRecord = Static<typeof NodeModelRecord>
