import { hash } from 'node:crypto'
import { encodeShardData, type KeyedDescription } from '@almanac/engine'
import {
  codecs,
  decodeShardIndex,
  encodeShardIndex,
  jobKey,
  mintBlobId,
  put,
  type ShardRef,
  versionKey,
} from '@almanac/shared'
import { type Machine, type Order, queueFit, readJob, readVersion, soon } from './machine.ts'

/** Series in shards, as a fit or an update has them. */
export type Part = readonly (readonly KeyedDescription[])[]

export const naive = { family: 'baseline', method: 'naive' }

/** What a broker leaves behind when it accepted a refit of what came in these parts. */
export async function queueParts(
  machine: Machine,
  parts: readonly Part[],
  given: Parameters<typeof queueFit>[1] = {},
): Promise<Order> {
  const of = await queueFit(machine, { spec: naive, version: parts.length + 1, ...given })
  const stored = []
  for (const [i, part] of parts.entries()) {
    const blob = await storeData(machine, part)
    const observations = part.flat().reduce((sum, { y }) => sum + y.length, 0)
    stored.push({ version: i + 1, blob, observations })
  }
  const version = await readVersion(machine, of)
  const job = await readJob(machine, of.job)
  const dataset = { blob: stored.at(-1)!.blob, observations: 0 }
  const then = [
    put(versionKey(of, of.version), codecs.version.encode({ ...version, dataset, parts: stored })),
    put(jobKey(of.job), codecs.job.encode({ ...job, kind: 'fit-parts' })),
  ]
  await machine.coordinator.transact({ when: [], then }, soon())
  return of
}

/** The blob of the index. */
async function storeData(machine: Machine, part: Part): Promise<string> {
  const write = async (content: Uint8Array) => {
    const id = mintBlobId()
    await machine.store.writeBlob({ kind: 'dataset', id, content, label: 'a test' }, soon())
    return id
  }
  const shards: ShardRef[] = []
  for (const own of part) {
    const bytes = encodeShardData(own)
    const sha256 = hash('sha256', bytes, 'hex')
    const known = { sha256, sizeBytes: bytes.byteLength, series: own.length }
    shards.push({ first: own[0]!.key, blob: await write(bytes), ...known })
  }
  return await write(encodeShardIndex({ format: 1, kind: 'data', shards }))
}

/** The shards of data that a version names, but for where they are. */
export async function dataOf(machine: Machine, of: Order) {
  const { dataset } = await readVersion(machine, of)
  const ref = { kind: 'dataset', id: dataset.blob } as const
  const index = decodeShardIndex(await machine.store.readBlob(ref, soon()))
  if (!index.ok) throw new Error(index.fault)
  return index.value.shards.map(({ blob: _, ...shard }) => shard)
}
