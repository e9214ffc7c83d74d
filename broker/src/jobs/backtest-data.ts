import {
  addParts,
  type BacktestInput,
  type BlobRef,
  type Comparison,
  type Coordinator,
  codecs,
  Damaged,
  decodeShardIndex,
  Missing,
  type ModelName,
  modifiedAt,
  partsOfFit,
  Refused,
  type ShardIndex,
  type Store,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { recordId, versionsOf } from './archive.ts'
import { mustDecode } from './unreadable.ts'

type Parts = {
  readonly coordinator: Coordinator
  readonly store: Store
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'storeCallMs' | 'backtestBasesMax'>
}

/** All data that a version knows, and what has to be as it was for that to be kept. */
export type VersionData = Pick<BacktestInput, 'kind' | 'shards'> & {
  readonly version: VersionRecord
  /** Steps, where there is one series. */
  readonly steps: number
  readonly when: readonly Comparison[]
}

/**
 * Where the data of a version is: that of the fit that it goes back to, and what updates have added
 * since. What is in the coordinator is kept; of what was archived nobody knows how long. Throws
 * `Refused` where there is no such version, or not all of its data.
 */
export async function dataOfVersion(
  parts: Parts,
  of: ModelName,
  version: number,
): Promise<VersionData> {
  const chain = await chainOf(parts, of, version)
  const [root, ...updates] = chain
  const when = chain.map(({ record, modRevision }) =>
    modifiedAt(versionKey(of, record.version), modRevision),
  )
  const told = { version: chain.at(-1)!.record, when }
  if (root!.record.series === undefined) {
    const data = chain.map(({ record }) => ({ blob: record.dataset.blob, sha256: null }))
    const steps = chain.reduce((sum, { record }) => sum + record.dataset.observations, 0)
    return { ...told, kind: 'one', steps, shards: [{ first: '', series: 1, data }] }
  }
  const index = await readIndex(parts, of, root!.record)
  const shards = partsOfFit(index)
  for (const { record } of updates) addParts(index, shards, await readIndex(parts, of, record))
  return { ...told, kind: 'many', steps: 0, shards: [...shards] }
}

type Link = { readonly record: VersionRecord; readonly modRevision: number }

/** From the fit that a version goes back to up to itself. */
async function chainOf(parts: Parts, of: ModelName, version: number): Promise<readonly Link[]> {
  const { coordinator, bounds } = parts
  const chain: Link[] = []
  let next: number | undefined = version
  while (next !== undefined) {
    if (chain.length > bounds.backtestBasesMax) throw tooManyUpdates(of, version, bounds)
    const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
    const entry = await coordinator.get(versionKey(of, next), signal)
    if (entry === undefined) throw await notThere(parts, of, version, next)
    const record = mustDecode(codecs.version, entry)
    chain.unshift({ record, modRevision: entry.modRevision })
    next = record.base?.version
  }
  return chain
}

async function readIndex(
  { store, bounds }: Parts,
  { model }: ModelName,
  { dataset, version }: VersionRecord,
): Promise<ShardIndex> {
  const name = `The data of version ${version} of ${model}`
  const ref: BlobRef = { kind: 'dataset', id: dataset.blob }
  const bytes = await store
    .readBlob(ref, AbortSignal.timeout(bounds.storeCallMs))
    .catch((error) => {
      if (error instanceof Missing || error instanceof Damaged)
        throw new Refused(500, 'unreadable', `${name} cannot be read: ${error.message}`)
      throw error
    })
  const index = decodeShardIndex(bytes)
  if (index.ok && index.value.kind === 'data') return index.value
  const why = index.ok ? `it has ${index.value.kind}` : index.fault
  throw new Refused(500, 'unreadable', `${name} cannot be read: ${why}`)
}

async function notThere(
  { store, bounds }: Parts,
  of: ModelName,
  asked: number,
  missing: number,
): Promise<Refused> {
  const id = recordId(missing)
  const signal = AbortSignal.timeout(bounds.storeCallMs)
  const archived = await store.getRecord({ ...versionsOf(of), id }, signal)
  const name = `Version ${asked} of ${of.model}`
  if (archived === undefined && asked === missing)
    return new Refused(404, 'no-such-version', `${name} is not there.`, { field: '/version' })
  const detail =
    asked === missing
      ? `${name} was collected; only its record is kept, and not its data.`
      : `${name} goes back to version ${missing}, whose data is not kept any more.`
  return new Refused(410, 'data-collected', detail, {
    field: '/version',
    remedy: 'Fit the model again with all of its data, and judge that version.',
  })
}

function tooManyUpdates({ model }: ModelName, version: number, bounds: Parts['bounds']): Refused {
  const { backtestBasesMax: most } = bounds
  const detail = `Version ${version} of ${model} is made of more than ${most} updates.`
  return new Refused(422, 'too-many-updates', detail, {
    field: '/version',
    remedy: 'Fit the model again with all of its data, and judge that version.',
  })
}
