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
import { BaseMoved, type FitRequest } from './allocate.ts'
import { type Base, findBase } from './base.ts'
import { joinData } from './join-data.ts'
import { collected } from './refit-refusals.ts'
import type { FitData, StoredData } from './store-data.ts'
import { mustDecode } from './unreadable.ts'

export type RefitParts = {
  readonly coordinator: Coordinator
  readonly store: Pick<Store, 'readBlob'>
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'storeCallMs' | 'baseLooksMax' | 'fitLookMs'>
}

/** Data that is in the store already, or that is still to be put there. */
type Material =
  | { readonly stored: StoredData; readonly fresh?: never }
  | { readonly stored?: never; readonly fresh: FitData }

type Refit = Material & Pick<FitRequest, 'spec' | 'also'>

/**
 * What a model is to be fitted of again: its table, which is then read anew, or all of its data;
 * with its spec. It is those of the newest version that did not fail, which has all there is, or
 * under a hold of the one that serves. Throws `Refused`: 404 where there is no model, 409 where no
 * version is fitted, or one is on its way, 410 where its data is not kept any more, 422 where it
 * cannot be put together.
 */
export async function refitOf(parts: RefitParts, of: ModelName): Promise<Refit> {
  const { record: version, modRevision, last } = await sourceOf(parts, of)
  const { spec } = version
  const same = modifiedAt(versionKey(of, version.version), modRevision)
  const also: FitRequest['also'] = (made) => {
    // What has come meanwhile would be lost to this one, which would serve in its place.
    if (last !== null && made.version !== last + 1) throw new BaseMoved()
    return { when: [same], then: [] }
  }
  return { ...(await materialOf(parts, of, version)), spec, also }
}

async function sourceOf(parts: RefitParts, of: ModelName): Promise<Base> {
  const signal = AbortSignal.timeout(parts.bounds.fitLookMs)
  const model = await look(parts, modelKey(of), codecs.model, signal)
  const pinned = model?.hold ? model.serving : null
  return await findBase(parts, of, pinned, signal)
}

async function materialOf(
  parts: RefitParts,
  of: ModelName,
  version: VersionRecord,
): Promise<Material> {
  const read = (id: string) => readData(parts, of, version, id)
  if (version.base) return { fresh: await joinData(parts, of, version, read) }
  const { table, dataset, series } = version
  if (table) {
    const source = decodeTableSource(await read(table.source))
    if (!source.ok) throw unreadable(of, version, source.fault)
    const { file, recipe } = source.value
    return { fresh: { kind: 'table', file, recipe } }
  }
  if (series === undefined) return { stored: { dataset } }
  const index = decodeShardIndex(await read(dataset.blob))
  if (!index.ok) throw unreadable(of, version, index.fault)
  return { stored: { dataset, many: { series, shards: index.value.shards.length } } }
}

async function readData(
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
  { coordinator }: RefitParts,
  key: string,
  values: Pick<Codec<T>, 'decode'>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const entry = await coordinator.get(key, signal)
  return entry && mustDecode(values, entry)
}

function unreadable({ model }: ModelName, { version }: VersionRecord, fault: string): Refused {
  const detail = `The data of version ${version} of ${model} cannot be read: ${fault}`
  return new Refused(500, 'unreadable', detail)
}
