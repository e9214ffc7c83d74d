import type { IRangeResponse } from 'etcd3'
import { Unavailable } from '../../base/errors.ts'
import type { Entry, Snapshot } from '../port.ts'
import type { Connection } from './connection.ts'
import { Compacted } from './faults.ts'
import { after, type Keys, rangeOf, toEntry, toNumber } from './translate.ts'

export type ClusterSnapshot = Snapshot & { readonly clusterId: string }

/** Where etcd is: its identity, and a revision that no acknowledged write is beyond. */
export type Position = { readonly clusterId: string; readonly revision: number }

/** A linearizable read of nothing. */
export async function readPosition(
  connection: Connection,
  keys: Keys,
  signal: AbortSignal,
): Promise<Position> {
  const request = { key: keys.toEtcd('\0'), count_only: true }
  const answer = await connection.call('position', (client) => client.kv.range(request), signal)
  return positionOf(answer)
}

/** One key, linearizable. */
export async function readKey(
  connection: Connection,
  keys: Keys,
  key: string,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  const request = { key: keys.toEtcd(key) }
  const answer = await connection.call('get', (client) => client.kv.range(request), signal)
  const [kv] = answer.kvs
  return kv && toEntry(kv, keys)
}

/**
 * All keys of a prefix at one revision, in pages that fit into a message: the first page is
 * linearizable and says the revision, the others are read at it. Each page has a deadline of its
 * own. Begins again when the revision was compacted in between.
 */
export async function readPrefix(
  connection: Connection,
  keys: Keys,
  prefix: string,
  signal: AbortSignal,
): Promise<ClusterSnapshot> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    try {
      return await readPages(connection, keys, prefix, signal)
    } catch (error) {
      if (!(error instanceof Compacted)) throw error
    }
  }
  throw new Unavailable('coordinator', `etcd: compacted while ${prefix} was read`)
}

async function readPages(
  connection: Connection,
  keys: Keys,
  prefix: string,
  signal: AbortSignal,
): Promise<ClusterSnapshot> {
  const range = rangeOf(keys.toEtcd(prefix))
  const entries: Entry[] = []
  let at: Position | undefined
  for (let key = range.key; ; ) {
    const revision = at === undefined ? '0' : String(at.revision)
    const request = { ...range, key, revision, limit: String(pageKeysMax) }
    const answer = await connection.call('list', (client) => client.kv.range(request), signal)
    at ??= positionOf(answer)
    for (const kv of answer.kvs) entries.push(toEntry(kv, keys))
    const last = answer.kvs.at(-1)
    if (!answer.more || last === undefined) return { ...at, entries }
    key = after(last.key)
  }
}

const positionOf = ({ header }: IRangeResponse): Position => ({
  clusterId: header.cluster_id,
  revision: toNumber(header.revision),
})

/** With values of 64 KiB a page is 16 MiB: it fits into a message, and into a deadline. */
const pageKeysMax = 256
const attemptsMax = 3
