import { frequencies } from '@almanac/engine'
import {
  FilePredictionResult,
  fileNamePattern,
  filePrefixPattern,
  limits,
  namePattern,
  Problem,
  seriesKeyCharactersMax,
} from '@almanac/shared'
import { type TSchema, Type } from 'typebox'
import { BoundsView } from './bounds-body.ts'

/** What the API takes and gives. OpenAPI, static types and answers all come from here. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const VersionNumber = Type.Integer({ minimum: 1 })
const Observations = Type.Array(nullable(Type.Number()), {
  description: 'Observations in order; null where one is missing.',
  maxItems: limits.observationsMax,
})

export const ModelParams = Type.Object({ model: Type.String({ pattern: namePattern }) })
export const HorizonParams = Type.Object({
  horizon: Type.Integer({ minimum: 1, maximum: limits.horizonMax }),
})
export const ModelHorizonParams = Type.Object({
  model: Type.String({ pattern: namePattern }),
  horizon: Type.Integer({ minimum: 1, maximum: limits.horizonMax }),
})
export const VersionParams = Type.Object({
  model: Type.String({ pattern: namePattern }),
  version: VersionNumber,
})
export const JobParams = Type.Object({ id: Type.String({ maxLength: 64 }) })

export const ForecastQuery = Type.Object({
  level: Type.Optional(
    Type.String({ description: 'Coverage of intervals in percent, like 80,95.' }),
  ),
  timestamps: Type.Optional(
    Type.Boolean({ description: 'Adds the time of each step, where the data said when it began.' }),
  ),
  version: Type.Optional(
    Type.Union([
      VersionNumber,
      Type.Literal('serving'),
      Type.Literal('previous'),
      Type.Literal('latest'),
    ]),
  ),
  at_least: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Waits until this version or a newer one serves.' }),
  ),
  series: Type.Optional(
    Type.String({
      maxLength: seriesKeyCharactersMax,
      description: 'The key of one series, where the version has many.',
    }),
  ),
})

export const ForecastBody = Type.Object({
  data: Type.Array(Type.Number(), { description: 'One number a step, on the scale of the data.' }),
  intervals: Type.Optional(
    Type.Array(
      Type.Object({
        level: Type.Number(),
        lower: Type.Array(Type.Number()),
        upper: Type.Array(Type.Number()),
      }),
    ),
  ),
  notes: Type.Optional(
    Type.Array(Type.Object({ code: Type.String(), detail: Type.String() }), {
      description: 'With intervals: what is claimed of them, and what else a reader should know.',
    }),
  ),
  timestamps: Type.Optional(Type.Array(Type.String({ format: 'date-time' }))),
})

const { level, timestamps, version } = ForecastQuery.properties
const Key = Type.String({ maxLength: seriesKeyCharactersMax })
export const ManyForecastsQuery = Type.Object({
  ...{ level, timestamps, version },
  prefix: Type.Optional({ ...Key, description: 'Only series whose keys begin with it.' }),
  after: Type.Optional({ ...Key, description: 'Only series after this key: to go on.' }),
  limit: Type.Optional(Type.Integer({ minimum: 1, description: 'At most so many series.' })),
})

export const NdjsonBody = Type.String({
  description:
    'A line for each series: {"series": key} with the fields of a forecast, or with ' +
    '"error": {code, detail} where it has none.',
})
export const CsvBody = Type.String({
  description:
    'A row for each step: series,step[,timestamp],forecast[,lower_80,upper_80…]; one with ' +
    'nothing but the key for a series without a forecast.',
})

export const TableView = Type.Object({
  file: Type.String(),
  recipe: Type.Unknown(),
  summary: nullable(
    Type.Object(
      {
        rows: Type.Integer({ description: 'Of the file, those that were rejected among them.' }),
        rejected: Type.Integer(),
        dropped: Type.Integer(),
        series: Type.Integer(),
        observations: Type.Integer(),
        reasons: Type.Array(
          Type.Object(
            { step: Type.String(), reason: Type.String(), count: Type.Integer() },
            { additionalProperties: true },
          ),
        ),
      },
      { additionalProperties: true, description: 'Null until the table is read.' },
    ),
  ),
})
export const RejectsBody = Type.String({
  description: 'line,step,outcome,reason,column,key,time,before,after,row',
})

export const SeriesQuery = Type.Object({
  cursor: Type.Optional({ ...Key, description: 'The `next` of a page.' }),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: limits.pageItemsMax, description: 'At most 100 series.' }),
  ),
  code: Type.Optional(Type.String({ description: 'Only those with this result, like ok.' })),
})

export const NotModified = Type.Null({ description: 'The client has this answer already.' })

const Spec = Type.Object(
  { family: Type.String({ description: 'The kind of model; its other fields depend on it.' }) },
  { additionalProperties: true, description: 'What to fit; without it the default model.' },
)

const FrequencyName = Type.Union(frequencies.map((name) => Type.Literal(name)))
const TimeZone = Type.String({ description: 'Of the IANA data base, like Europe/Berlin.' })
const SeriesKey = Type.String({
  description: 'Tells a series from the others, like store=3,product=17.',
  maxLength: seriesKeyCharactersMax,
})

/** What is made of the data. */
const How = { spec: Type.Optional(Spec), bounds: Type.Optional(BoundsView) }

const DataRequest = Type.Union([
  Type.Object({ data: Observations, ...How }, { additionalProperties: false }),
  Type.Object(
    {
      series: Type.Array(
        Type.Object(
          {
            y: Observations,
            start: Type.Optional(Type.String({ description: 'ISO 8601.' })),
            frequency: Type.Optional(FrequencyName),
            timezone: Type.Optional(TimeZone),
            key: Type.Optional(SeriesKey),
          },
          { additionalProperties: false },
        ),
        { minItems: 1 },
      ),
      ...How,
    },
    { additionalProperties: false },
  ),
])

const TableRequest = Type.Object(
  {
    table: Type.Object(
      {
        file: Type.String({ description: 'Uploaded before: PUT /api/files/{name}.' }),
        recipe: Type.Unknown({ description: 'How rows become series: see docs/recipes.md.' }),
      },
      { additionalProperties: false },
    ),
    ...How,
  },
  { additionalProperties: false },
)

export const FitRequest = Type.Union([...DataRequest.anyOf, TableRequest])

const NewObservations = Type.Array(nullable(Type.Number()), {
  description: 'Observations in order, from the first that is new; null where one is missing.',
  maxItems: limits.newObservationsMax,
})
const BaseVersion = Type.Optional(
  Type.Integer({ minimum: 1, description: 'The version to go on from; the newest unless told.' }),
)

const NewStart = Type.Optional(
  Type.String({ description: 'ISO 8601; what lies between is missing.' }),
)

export const ObservationsRequest = Type.Union([
  Type.Object({ data: NewObservations, base: BaseVersion }, { additionalProperties: false }),
  Type.Object(
    {
      series: Type.Array(
        Type.Object(
          {
            y: NewObservations,
            start: NewStart,
          },
          { additionalProperties: false },
        ),
        { minItems: 1, maxItems: 1 },
      ),
      base: BaseVersion,
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      series: Type.Array(
        Type.Object(
          {
            key: SeriesKey,
            y: NewObservations,
            start: NewStart,
            frequency: Type.Optional({
              ...FrequencyName,
              description: 'Of a series that is new; else as it was.',
            }),
            timezone: Type.Optional(TimeZone),
          },
          { additionalProperties: false },
        ),
        { minItems: 1, description: 'Of a model of many series: those that have any.' },
      ),
      base: BaseVersion,
    },
    { additionalProperties: false },
  ),
])

export const FitAnswer = Type.Object({
  model: Type.String(),
  version: VersionNumber,
  state: Type.Union(
    ['serving', 'superseded', 'queued', 'fitting', 'stored'].map((state) => Type.Literal(state)),
  ),
  job: Type.String(),
  serving: nullable(VersionNumber),
})

const Failure = Type.Object({
  phase: Type.String(),
  reason: Type.String(),
  detail: Type.String(),
})

export const VersionView = Type.Object({
  model: Type.String(),
  version: VersionNumber,
  state: Type.String({
    description:
      'queued, fitting, stored (not rolled out yet), loading, serving, retired, superseded, failed',
  }),
  collected: Type.Boolean({ description: 'Only its record is kept; it cannot serve any more.' }),
  job: Type.String(),
  spec: Type.Unknown(),
  bounds: nullable(BoundsView),
  observations: Type.Integer({ description: 'Of its own data: without those of its base.' }),
  series: nullable(Type.Integer({ description: 'How many, where keys tell them apart.' })),
  base: nullable(VersionNumber),
  why: nullable(
    Type.String({ description: 'Why it was begun, where nobody asked for it by itself.' }),
  ),
  accuracy: nullable(
    Type.Object(
      {
        scale: Type.Number(),
        updates: Type.Array(
          Type.Object({
            version: VersionNumber,
            observations: Type.Integer(),
            mase: Type.Number(),
          }),
        ),
      },
      { description: 'How well updates since the last fit were foreseen, newest first.' },
    ),
  ),
  sizeBytes: nullable(Type.Integer()),
  sha256: nullable(Type.String()),
  metrics: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()])),
  error: nullable(Failure),
  times: Type.Object({
    createdAt: Type.String(),
    fittingAt: nullable(Type.String()),
    storedAt: nullable(Type.String()),
    failedAt: nullable(Type.String()),
  }),
})

export const ModelView = Type.Object({
  model: Type.String(),
  serving: nullable(VersionNumber),
  target: nullable(VersionNumber),
  previous: nullable(VersionNumber),
  latest: nullable(VersionNumber),
  hold: Type.Boolean(),
  changes: Type.Integer(),
  createdAt: Type.String(),
  nodes: Type.Array(
    Type.Object({
      node: Type.String(),
      wants: Type.Array(VersionNumber),
      loaded: Type.Array(VersionNumber),
      failed: Type.Array(
        Type.Object({ version: VersionNumber, reason: Type.String(), retriable: Type.Boolean() }),
      ),
    }),
  ),
})

export const LogView = Type.Object({
  n: Type.Integer(),
  from: nullable(VersionNumber),
  to: nullable(VersionNumber),
  why: Type.String(),
  who: Type.String(),
  at: Type.String(),
})

export const Progress = Type.Object({
  phase: Type.String(),
  fraction: Type.Number(),
  rows: Type.Optional(
    Type.Integer({ description: 'Where they are counted: those that are done.' }),
  ),
})

export const JobView = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  model: Type.String(),
  version: VersionNumber,
  state: Type.String(),
  attempts: Type.Integer(),
  progress: Progress,
  series: nullable(
    Type.Object(
      { done: Type.Integer(), of: Type.Integer() },
      { description: 'Of a fit of many series: how many of them are fitted.' },
    ),
  ),
  node: nullable(Type.String()),
  error: nullable(Failure),
  why: nullable(
    Type.String({ description: 'Why it was begun, where nobody asked for it by itself.' }),
  ),
  createdAt: Type.String(),
  endedAt: nullable(Type.String()),
  prediction: Type.Optional(
    Type.Object(
      { file: Type.String(), into: Type.String(), result: nullable(FilePredictionResult) },
      { description: 'Of a prediction from file to file.' },
    ),
  ),
})

export const JobLogView = Type.Object({
  log: Type.Array(
    Type.Object({
      at: Type.String(),
      event: Type.String({
        description: 'A stable word, like queued, claimed, given-back, failed.',
      }),
      text: Type.String(),
      who: nullable(Type.String({ description: 'The node or the broker.' })),
    }),
  ),
})

export const NodeView = Type.Object({
  node: Type.String(),
  ip: Type.String(),
  port: Type.Integer(),
  instance: Type.String(),
  roles: Type.Array(Type.String()),
  capacity: Type.Object({ fits: Type.Integer(), fitsBusy: Type.Integer() }),
  startedAt: Type.String(),
  requests: Type.Integer({ description: 'Open requests of this broker.' }),
  resting: Type.Boolean({ description: 'Failed lately, and is spared by this broker.' }),
  models: Type.Array(
    Type.Object({
      model: Type.String(),
      loaded: Type.Array(VersionNumber),
      failed: Type.Array(
        Type.Object({ version: VersionNumber, reason: Type.String(), retriable: Type.Boolean() }),
      ),
    }),
  ),
})

export const PageQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.String({ pattern: '^[1-9][0-9]{0,2}$', description: 'At most 100 items.' }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 200, description: 'The `next` of a page.' })),
  },
  { additionalProperties: false },
)

const pageOf = <T extends TSchema>(name: string, item: T) =>
  Type.Object({ [name]: Type.Array(item), next: nullable(Type.String()) })

export const ModelsPage = pageOf('models', ModelView)
export const VersionsPage = pageOf('versions', VersionView)
export const LogPage = pageOf('log', LogView)
export const JobsPage = pageOf('jobs', JobView)
export const NodesPage = pageOf('nodes', NodeView)

export const RollbackRequest = Type.Object(
  { version: Type.Optional(VersionNumber) },
  { additionalProperties: false },
)
export const RolloutAnswer = Type.Object({
  model: Type.String(),
  serving: nullable(VersionNumber),
  target: nullable(VersionNumber),
  hold: Type.Boolean(),
})
export const DeletedAnswer = Type.Object({
  model: Type.String(),
  deletedAt: Type.String(),
  lastVersion: Type.Integer(),
})

export const FileName = Type.String({
  pattern: fileNamePattern,
  description: 'Like sales/2024.csv.gz: letters, digits, dots, dashes, underscores and slashes.',
})
export const FileParams = Type.Object({ name: FileName })
export const FileQuery = Type.Object(
  {
    content: Type.Optional(Type.Boolean({ description: 'The bytes, not what is known of them.' })),
  },
  { additionalProperties: false },
)
export const FilesQuery = Type.Object(
  {
    prefix: Type.Optional(
      Type.String({ pattern: filePrefixPattern, description: 'Only names that begin with it.' }),
    ),
    limit: PageQuery.properties.limit,
    cursor: PageQuery.properties.cursor,
  },
  { additionalProperties: false },
)
export const FormQuery = Type.Object(
  {
    prefix: Type.Optional(
      Type.String({
        pattern: filePrefixPattern,
        description: 'Put before the names, like sales/.',
      }),
    ),
  },
  { additionalProperties: false },
)
/** For documents: bodies of any length are not checked as values. */
export const Bytes = Type.String({ format: 'binary' })
export const FormBody = Type.Object({ file: Type.Array(Bytes) })

export const WrittenFile = Type.Object({
  name: FileName,
  sizeBytes: Type.Integer(),
  etag: Type.String({ description: 'Another one for every content; not a checksum.' }),
  sha256: Type.String(),
})
export const WrittenFiles = Type.Object({ files: Type.Array(WrittenFile) })
export const FileView = Type.Object({
  name: FileName,
  sizeBytes: Type.Integer(),
  modifiedAt: Type.String(),
  etag: Type.String(),
})
export const FilesPage = pageOf('files', FileView)
export const RemovedFile = Type.Object({ name: FileName })

/** The problem documents of every call, with those of its own. */
export const problems = (...statuses: readonly number[]) =>
  Object.fromEntries([...statuses, 403, 406, 503].map((status) => [status, Problem]))

/** Those of a call that may come with a body, wanted or not. */
export const problemsWithBody = (...statuses: readonly number[]) =>
  problems(400, 409, 413, 415, 429, ...statuses)
