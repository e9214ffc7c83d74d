import { type ModelName, namePattern, Refused } from '@almanac/shared'
import { type Static, type TObject, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { type BacktestBody, readBacktestBody } from '../api/backtest-body.ts'
import type { BodyReader } from '../api/body-reader.ts'
import { type FileAsk, readFileAsk } from '../api/predictions/file-body.ts'
import { refusedBody } from '../api/series-body.ts'
import type { Allocated, FitRequest } from '../jobs/allocate.ts'
import type { Backtests } from '../jobs/backtests.ts'
import type { Fits } from '../jobs/fits.ts'

export type ActionParts = {
  readonly fits: Pick<Fits, 'begin' | 'refit'>
  readonly bodies: Pick<BodyReader, 'readFit'>
  readonly mustHaveFile: (file: string) => Promise<void>
  readonly backtests: Pick<Backtests, 'begin'>
  /** The number of a version that is asked for by what it is. Throws `Refused` where there is none. */
  readonly versionOf: (
    of: ModelName,
    version: BacktestBody['version'],
    requestId: string,
  ) => Promise<number>
  /** As asked for now: the version that then serves, the file as it then is. */
  readonly predictFile: (
    of: ModelName,
    asked: FileAsk & { readonly version: string },
    beginning: Beginning,
  ) => Promise<Allocated>
}

/** Who begins it, and what is recorded with it in one transaction. */
type Beginning = {
  readonly requestId: string
  readonly why: string
  readonly also: NonNullable<FitRequest['also']>
}

/** What a schedule can do: one job of one model at a time. */
type Action<S extends TObject> = {
  /** Its fields; `model` among them. */
  readonly schema: S
  /** Throws `Refused` for what can be known to be wrong ahead. */
  readonly check: (parts: ActionParts, given: Static<S>) => Promise<void>
  /** Makes the job durable, with what `beginning` adds to the transaction. */
  readonly begin: (
    parts: ActionParts,
    of: ModelName,
    given: Static<S>,
    beginning: Beginning,
  ) => Promise<Allocated>
}

const Model = Type.String({ pattern: namePattern })
const strict = { additionalProperties: false }

const FitFields = Type.Object(
  {
    ...{ model: Model, table: Type.Unknown() },
    ...{ spec: Type.Optional(Type.Unknown()), bounds: Type.Optional(Type.Unknown()) },
  },
  strict,
)
const RefitFields = Type.Object({ model: Model }, strict)

const fit: Action<typeof FitFields> = {
  schema: FitFields,
  check: async (parts, given) => {
    await readTable(parts, given)
  },
  begin: async ({ fits, mustHaveFile, ...parts }, of, given, beginning) => {
    const { data, spec, bounds } = await readTable(parts, given)
    await mustHaveFile(data.file)
    return await fits.begin({ of, data, spec, bounds, ...beginning, idempotency: null })
  },
}
const refit: Action<typeof RefitFields> = {
  schema: RefitFields,
  check: async () => {},
  begin: async ({ fits, mustHaveFile }, of, _given, beginning) =>
    await fits.refit({ of, mustHaveFile, ...beginning, idempotency: null }),
}
/** The fields of a backtest's body, which has checks of its own. */
const BacktestFields = Type.Object({ model: Model }, { additionalProperties: true })

const backtest: Action<typeof BacktestFields> = {
  schema: BacktestFields,
  check: async (_parts, given) => {
    readBacktest(given)
  },
  begin: async ({ backtests, versionOf }, of, given, beginning) => {
    const { spec, settings, version: asked } = readBacktest(given)
    const version = await versionOf(of, asked, beginning.requestId)
    return await backtests.begin({ of, version, spec, settings, ...beginning, idempotency: null })
  },
}

const PredictFields = Type.Object(
  {
    model: Model,
    file: Type.String(),
    into: Type.String(),
    version: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
  },
  strict,
)
const predict: Action<typeof PredictFields> = {
  schema: PredictFields,
  check: async (_parts, given) => {
    readPrediction(given)
  },
  begin: async ({ predictFile }, of, given, beginning) =>
    await predictFile(of, readPrediction(given), beginning),
}

/** All that there are: one more is one more line here. */
const actions = { fit, refit, backtest, predict } as const

/** An action that was read: which one, of which model, with its fields. */
export type ReadAction = {
  readonly name: keyof typeof actions
  readonly model: string
  readonly check: (parts: ActionParts) => Promise<void>
  readonly begin: (parts: ActionParts, tenant: string, beginning: Beginning) => Promise<Allocated>
}

/** `{fit: {…}}` or `{refit: {…}}`. Throws a 400 that names the field. */
export function readAction(given: unknown): ReadAction {
  const names = Object.keys(actions)
  const entries = isObject(given) ? Object.entries(given) : []
  const [name = '', fields] = entries[0] ?? []
  if (entries.length !== 1 || !isAction(name))
    throw new Refused(400, 'action', `action must be an object with one of: ${names.join(', ')}.`, {
      field: '/action',
      remedy: 'Write it like {"refit": {"model": "sales"}}.',
    })
  switch (name) {
    case 'fit':
      return read(name, actions.fit, fields)
    case 'refit':
      return read(name, actions.refit, fields)
    case 'backtest':
      return read(name, actions.backtest, fields)
    case 'predict':
      return read(name, actions.predict, fields)
  }
}

function read<S extends TObject>(
  name: keyof typeof actions,
  action: Action<S>,
  fields: unknown,
): ReadAction {
  const validator = Compile(action.schema)
  if (!validator.Check(fields)) {
    const [first] = validator.Errors(fields)
    const field = `/action/${name}${first?.instancePath ?? ''}`
    const known = Object.keys(action.schema.properties).join(', ')
    throw new Refused(400, 'action', `${field} ${first?.message ?? 'does not fit'}.`, {
      field,
      remedy: `The fields are ${known}.`,
    })
  }
  const value = fields as Static<S>
  const { model } = value as { readonly model: string }
  return {
    name,
    model,
    check: (parts) => action.check(parts, value),
    begin: (parts, tenant, beginning) => action.begin(parts, { tenant, model }, value, beginning),
  }
}

/** As a fit's body is read, and so checked; a schedule without a table would fit the same again. */
async function readTable(
  { bodies }: Pick<ActionParts, 'bodies'>,
  { model: _, ...body }: { readonly model: string },
) {
  try {
    const { data, spec, bounds } = await bodies.readFit(Buffer.from(JSON.stringify(body)))
    if (data.kind === 'table') return { data, spec, bounds }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const { status, code, message, field, remedy } = error
    const within = `/action/fit${field?.startsWith('/') ? field : ''}`
    throw new Refused(status, code, message, { field: within, ...(remedy ? { remedy } : {}) })
  }
  throw new Refused(400, 'action', 'A schedule fits tables: its data has to come from somewhere.', {
    field: '/action/fit/table',
  })
}

function readBacktest({ model: _, ...body }: { readonly model: string }): BacktestBody {
  const read = readBacktestBody(Buffer.from(JSON.stringify(body)))
  if (read.kind === 'backtest') return read
  throw refusedBody({ ...read, field: `/action/backtest${read.field ?? ''}` })
}

function readPrediction({ file, into, version = 'serving' }: Static<typeof PredictFields>) {
  return { ...readFileAsk({ file, into }, '/action/predict'), version: String(version) }
}

const isAction = (name: string): name is keyof typeof actions => Object.hasOwn(actions, name)

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
