import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import cassandra from 'cassandra-driver'
import { type Cassandra, startCassandra } from '../../../deploy/local/cassandra.ts'
import { type BlobRef, type CqlStoreOptions, openCqlStore } from '../../src/index.ts'
import { type Backend, never } from './backend.ts'

export type CqlEndpoint = Pick<Cassandra, 'contactPoint' | 'localDataCenter' | 'stop'> & {
  /** Lives on after the tests, which must then take their keyspaces away. */
  readonly isShared: boolean
}

/** The database named by the environment, else one of our own. */
export async function cqlEndpoint(): Promise<CqlEndpoint> {
  const contactPoint = process.env.ALMANAC_TEST_CQL
  const localDataCenter = process.env.ALMANAC_TEST_CQL_DATACENTER ?? 'datacenter1'
  const stop = async () => {}
  if (contactPoint) return { contactPoint, localDataCenter, stop, isShared: true }
  return { ...(await startOwnCassandra()), isShared: false }
}

/** One that tests may freeze and kill; its folder goes with it. */
export async function startOwnCassandra(): Promise<Cassandra> {
  const dataDir = await mkdtemp(join(tmpdir(), 'almanac-cql-'))
  const server = await startCassandra({ dataDir })
  return {
    ...server,
    stop: async () => {
      await server.kill()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export function freshKeyspace(): string {
  return `almanac_test_${randomUUID().replaceAll('-', '').slice(0, 16)}`
}

export function cqlOptions(
  endpoint: Pick<Cassandra, 'contactPoint' | 'localDataCenter'>,
  keyspace = freshKeyspace(),
): CqlStoreOptions {
  const { contactPoint, localDataCenter } = endpoint
  return { contactPoints: [contactPoint], localDataCenter, keyspace }
}

/** A client of the tests' own, for what no store can do. */
export function plainClient(endpoint: CqlEndpoint): cassandra.Client {
  return new cassandra.Client({
    contactPoints: [endpoint.contactPoint],
    localDataCenter: endpoint.localDataCenter,
    socketOptions: { readTimeout: 30_000 },
    monitorReporting: { enabled: false },
  })
}

/** Resolves when the store answers; rejects with its last fault when `withinMs` are over. */
export async function untilAnswering(
  store: { ping(signal: AbortSignal): Promise<void> },
  withinMs: number,
): Promise<void> {
  const until = performance.now() + withinMs
  for (;;) {
    try {
      await store.ping(never)
      return
    } catch (error) {
      if (performance.now() > until) throw error
    }
    await delay(20)
  }
}

export async function startCqlBackend(): Promise<Backend> {
  const endpoint = await cqlEndpoint()
  const options = cqlOptions(endpoint)
  const { keyspace } = options
  const first = await openCqlStore(options)
  await untilAnswering(first, 30_000)
  await first.close()
  const client = plainClient(endpoint)
  const run = (query: string, parameters: unknown[]) =>
    client.execute(query, parameters, { prepare: true })
  const chunkKey = (ref: BlobRef, number: number) => [
    ref.kind,
    ref.id,
    Math.floor(number / 32),
    number,
  ]
  const where = 'WHERE kind = ? AND id = ? AND bucket = ? AND number = ?'
  return {
    open: async (clock) => {
      const store = await openCqlStore({ ...options, ...(clock ? { clock } : {}) })
      await untilAnswering(store, 30_000)
      return store
    },
    getChunk: async (ref, number) => {
      const query = `SELECT bytes, sha256 FROM ${keyspace}.chunks ${where}`
      const row = (await run(query, chunkKey(ref, number))).rows[0]
      return row && { bytes: new Uint8Array(row.bytes), sha256: String(row.sha256) }
    },
    setChunk: async (ref, number, chunk) => {
      await run(`DELETE FROM ${keyspace}.chunks ${where}`, chunkKey(ref, number))
      if (chunk === undefined) return
      const query = `INSERT INTO ${keyspace}.chunks (kind, id, bucket, number, bytes, sha256)
                     VALUES (?, ?, ?, ?, ?, ?)`
      await run(query, [...chunkKey(ref, number), Buffer.from(chunk.bytes), chunk.sha256])
    },
    alterManifest: async (ref, column, value) => {
      const query = `UPDATE ${keyspace}.blobs SET ${column} = ?
                     WHERE kind = ? AND period = ? AND id = ?`
      await run(query, [value, ref.kind, ref.id.slice(0, 7), ref.id])
    },
    childOptions: { ...options },
    stop: async () => {
      if (endpoint.isShared) await client.execute(`DROP KEYSPACE ${keyspace}`)
      await client.shutdown()
      await endpoint.stop()
    },
  }
}
