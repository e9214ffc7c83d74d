import {
  type BlobRef,
  type Codec,
  type Coordinator,
  codecs,
  Damaged,
  decodeShardIndex,
  decodeTableSource,
  Missing,
  type ModelName,
  modelKey,
  modifiedAt,
  Refused,
  type Store,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import type { FitRequest } from './allocate.ts'
import type { FitData, StoredData } from './store-data.ts'
import { mustDecode } from './unreadable.ts'

export type RefitParts = {
  readonly coordinator: Coordinator
  readonly store: Pick<Store, 'readBlob'>
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'storeCallMs'>
}

/** Data that is in the store already, or that is still to be put there. */
type Material =
  | { readonly stored: StoredData; readonly fresh?: never }
  | { readonly stored?: never; readonly fresh: FitData }

export type Refit = Material & Pick<FitRequest, 'spec' | 'also'>

/**
 * What a model is to be fitted of again: the table of the version that serves, which is then read
 * anew, or all of its data; with its spec. Throws `Refused`: 404 where there is no model, 409 where
 * none serves, 410 where its data is not kept any more, 422 where it cannot be put together.
 */
export async function refitOf(parts: RefitParts, of: ModelName): Promise<Refit> {
  const { version, modRevision } = await servingOf(parts, of)
  const { spec } = version
  const also = () => ({
    when: [modifiedAt(versionKey(of, version.version), modRevision)],
    then: [],
  })
  if (version.base) return { fresh: await joined(parts, of, version), spec, also }
  const { table, dataset, series } = version
  if (table) return { fresh: await tableOf(parts, of, version, table.source), spec, also }
  if (series === undefined) return { stored: { dataset }, spec, also }
  const index = decodeShardIndex(await read(parts, of, version, dataset.blob))
  if (!index.ok) throw unreadable(of, version, index.fault)
  const many = { series, shards: index.value.shards.length }
  return { stored: { dataset, many }, spec, also }
}

async function servingOf(parts: RefitParts, of: ModelName) {
  const model = await look(parts, modelKey(of), codecs.model)
  if (model === undefined || model.value.deletedAt !== null)
    throw new Refused(404, 'no-such-model', `There is no model ${of.model}.`, { field: 'model' })
  const { serving } = model.value
  if (serving === null)
    throw new Refused(409, 'nothing-serves', `No version of ${of.model} serves yet.`, {
      remedy: 'Fit it first: POST /api/models/{model}/fit.',
    })
  const held = await look(parts, versionKey(of, serving), codecs.version)
  if (held === undefined) throw collected(of, serving)
  return { version: held.value, modRevision: held.modRevision }
}

/** Observations that came in parts. */
async function joined(_parts: RefitParts, of: ModelName, version: VersionRecord): Promise<FitData> {
  throw new Refused(
    422,
    'data-in-parts',
    `The data of version ${version.version} of ${of.model} came in parts.`,
    { remedy: 'Fit the model with all of its data.' },
  )
}

async function tableOf(
  parts: RefitParts,
  of: ModelName,
  version: VersionRecord,
  source: string,
): Promise<FitData> {
  const decoded = decodeTableSource(await read(parts, of, version, source))
  if (!decoded.ok) throw unreadable(of, version, decoded.fault)
  const { file, recipe } = decoded.value
  return { kind: 'table', file, recipe }
}

async function read(
  { store, bounds }: RefitParts,
  of: ModelName,
  version: VersionRecord,
  id: string,
): Promise<Uint8Array> {
  const ref: BlobRef = { kind: 'dataset', id }
  return await store.readBlob(ref, AbortSignal.timeout(bounds.storeCallMs)).catch((error) => {
    if (error instanceof Missing) throw collected(of, version.version)
    if (error instanceof Damaged) throw unreadable(of, version, error.message)
    throw error
  })
}

async function look<T>(
  { coordinator, bounds }: RefitParts,
  key: string,
  values: Pick<Codec<T>, 'decode'>,
): Promise<{ readonly value: T; readonly modRevision: number } | undefined> {
  const entry = await coordinator.get(key, AbortSignal.timeout(bounds.coordinatorCallMs))
  return entry && { value: mustDecode(values, entry), modRevision: entry.modRevision }
}

function collected({ model }: ModelName, version: number): Refused {
  const detail = `The data of version ${version} of ${model} is not kept any more.`
  const remedy = 'Send all of it: POST /api/models/{model}/fit.'
  return new Refused(410, 'collected', detail, { remedy })
}

function unreadable({ model }: ModelName, { version }: VersionRecord, fault: string): Refused {
  const detail = `The data of version ${version} of ${model} cannot be read: ${fault}`
  return new Refused(500, 'unreadable', detail)
}
