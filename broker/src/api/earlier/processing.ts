import { type AnySpec, parseSpec } from '@almanac/engine'
import {
  Bug,
  codec,
  type ModelName,
  modelId,
  Refused,
  type StoredRecord,
  type VersionRecord,
} from '@almanac/shared'
import { type Static, Type } from 'typebox'
import { type Allocated, sha256Of } from '../../jobs/allocate.ts'
import type { FitData } from '../../jobs/store-data.ts'
import type { ApiParts } from '../parts.ts'

/** A table that somebody wants to train on: which file, and how its rows become series. */
const Processing = Type.Object({
  format: Type.Literal(1),
  file: Type.String(),
  recipe: Type.Unknown(),
})
type Processing = Static<typeof Processing>

const processings = codec(Processing)

type Table = Extract<FitData, { readonly kind: 'table' }>

/**
 * Keeps what a table is, under an id that follows from it: the same on every broker, whoever asks
 * first, and there after any restart. Doing it twice does no harm.
 */
export async function keepProcessing(
  { store, tenant, bounds }: ApiParts,
  file: string,
  recipe: unknown,
): Promise<string> {
  const value = processings.encode({ format: 1, file, recipe })
  const id = sha256Of(value).slice(0, idCharacters)
  const signal = AbortSignal.timeout(bounds.storeCallMs)
  await store.putRecord({ ...recordsOf(tenant), id, value }, signal)
  return id
}

/** Throws a 404 where nothing was processed under the id. */
export async function findProcessing(
  { store, tenant, bounds }: ApiParts,
  id: string,
): Promise<Processing> {
  if (!idShape.test(id)) throw unknown(id)
  const signal = AbortSignal.timeout(bounds.storeCallMs)
  const record: StoredRecord | undefined = await store.getRecord(
    { ...recordsOf(tenant), id },
    signal,
  )
  if (record === undefined) throw unknown(id)
  const decoded = processings.decode(record.value)
  if (decoded.ok) return decoded.value
  throw new Refused(500, 'unreadable', `What was processed cannot be read: ${decoded.fault}`)
}

const unknown = (id: string) =>
  new Refused(404, 'no-such-processing', `Nothing was processed as ${id.slice(0, 100)}.`, {
    field: '/processingId',
    remedy: 'Process a file first: POST /processing.',
  })

const idCharacters = 32
const idShape = /^[0-9a-f]{32}$/
const recordsOf = (tenant: string) => ({ collection: 'processing', scope: tenant })

/** The model of what was processed under an id. */
export const modelOfProcessing = (id: string) => `processing-${id}`
/** The model of a data set, whatever was said of its columns. */
export const modelOfDataset = (file: string) => `dataset-${sha256Of(file).slice(0, idCharacters)}`

/** Begins the training of a model for each value of the category, on all nodes. */
export async function train(
  { fits, tenant }: ApiParts,
  model: string,
  { file, recipe }: Omit<Table, 'kind'>,
  requestId: string,
): Promise<Allocated & { readonly model: string }> {
  const of = { tenant, model }
  const data = { kind: 'table', file, recipe } as const
  const what = { data, spec: prophetSpec(), bounds: notNegative }
  const allocated = await fits.begin({ of, ...what, requestId, idempotency: null })
  return { ...allocated, model }
}

/** What these paths forecast are sales; of returns among them nobody wants a forecast. */
const notNegative = { lower: 0 }

/** That of Prophet, with seasons by the calendar of the data. */
function prophetSpec(): AnySpec {
  const parsed = parseSpec({ family: 'additive' })
  if (parsed.kind === 'refused') throw new Bug('the additive family has no defaults')
  return parsed.value
}

/** The words that jobs had. */
type JobStatus = 'RUNNING' | 'SUCCESS' | 'FAILED'

function statusOf({ state }: VersionRecord): JobStatus {
  if (state === 'failed') return 'FAILED'
  return state === 'stored' ? 'SUCCESS' : 'RUNNING'
}

/** The newest training of a model; null where it was never trained. */
export function lastTraining({ state, tenant }: ApiParts, model: string) {
  const of: ModelName = { tenant, model }
  const versions = [...(state().versions.get(modelId(of))?.values() ?? [])]
  const [last] = versions.toSorted((a, b) => b.value.version - a.value.version)
  if (last === undefined) return null
  const { version, job, error } = last.value
  const detail = error === null ? null : error.detail
  return { job_type: 'TRAINING', job_status: statusOf(last.value), job, version, error: detail }
}
