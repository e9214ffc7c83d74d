import {
  type BlobRef,
  type Comparison,
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
import { type DataParts, dataParts, joinData } from './join-data.ts'
import { readRecord } from './read-record.ts'
import { collected } from './refit-refusals.ts'
import type { FitData, StoredData } from './store-data.ts'

export type RefitParts = {
  readonly coordinator: Coordinator
  readonly store: Pick<Store, 'readBlob'>
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'storeCallMs' | 'baseLooksMax' | 'fitLookMs'>
}

type SourceParts = {
  readonly coordinator: Coordinator
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'baseLooksMax' | 'fitLookMs'>
}

/** Data that is in the store already, some of it in parts, or that is still to be put there. */
type Material =
  | { readonly stored: StoredData; readonly fresh?: never }
  | { readonly stored?: never; readonly fresh: FitData }

type Refit = Material & Pick<FitRequest, 'spec' | 'bounds' | 'parts' | 'allUpTo' | 'also'>

/**
 * What a model is to be fitted of again: its table, which is then read anew, or all of its data,
 * that of a table too where updates came after it, for no table has those; with its spec and its
 * bounds. It is those of the newest version that did not fail, which has all there is, or under a
 * hold of the one that serves. Throws `Refused`: 404 where there is no model, 409 where no version
 * is fitted, or one is on its way, 410 where its data is not kept any more, 422 where it cannot be
 * put together.
 */
export async function refitOf(parts: RefitParts, of: ModelName): Promise<Refit> {
  const { record: version, modRevision, last } = await sourceOf(parts, of)
  const { spec, bounds } = version
  const same = modifiedAt(versionKey(of, version.version), modRevision)
  const { when = [same], ...material } = await materialOf(parts, of, version)
  return { ...material, spec, bounds, allUpTo: version.version, also: nothingSince(last, when) }
}

/** What has come meanwhile would be lost to a version that would serve in its place. */
export function nothingSince(last: number | null, when: readonly Comparison[]): FitRequest['also'] {
  return (made) => {
    if (last !== null && made.version !== last + 1) throw new BaseMoved()
    return { when, then: [] }
  }
}

/** The version that a refit is of: the newest, or under a hold the one that serves. */
export async function sourceOf(parts: SourceParts, of: ModelName): Promise<Base> {
  const signal = AbortSignal.timeout(parts.bounds.fitLookMs)
  const model = (await readRecord(parts, modelKey(of), codecs.model, signal))?.record
  const pinned = model?.hold ? model.serving : null
  return await findBase(parts, of, pinned, signal)
}

async function materialOf(
  parts: RefitParts,
  of: ModelName,
  version: VersionRecord,
): Promise<Material & Partial<DataParts>> {
  const read = (id: string) => readData(parts, of, version, id)
  const { table, dataset, series } = version
  if (version.base && series !== undefined) {
    const stored = { dataset: { blob: dataset.blob, observations: 0 } }
    return { stored, ...(await dataParts(parts, of, version)) }
  }
  if (version.base) return { fresh: await joinData(parts, of, version, read) }
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

function unreadable({ model }: ModelName, { version }: VersionRecord, fault: string): Refused {
  const detail = `The data of version ${version} of ${model} cannot be read: ${fault}`
  return new Refused(500, 'unreadable', detail)
}
