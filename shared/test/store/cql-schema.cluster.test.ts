import type { Client } from 'cassandra-driver'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mintBlobId, openCqlStore } from '../../src/index.ts'
import { bytesOf, clockAt, never, rejectionOf } from './backend.ts'
import {
  type CqlEndpoint,
  cqlEndpoint,
  cqlOptions,
  freshKeyspace,
  plainClient,
  untilAnswering,
} from './cql-backend.ts'

describe('the schema in CQL', () => {
  let endpoint: CqlEndpoint
  let client: Client
  const keyspaces: string[] = []
  const newKeyspace = () => {
    const keyspace = freshKeyspace()
    keyspaces.push(keyspace)
    return keyspace
  }
  beforeAll(async () => {
    endpoint = await cqlEndpoint()
    client = plainClient(endpoint)
    await client.connect()
  })
  afterAll(async () => {
    if (endpoint?.isShared)
      for (const keyspace of keyspaces) await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
    await client?.shutdown()
    await endpoint?.stop()
  })

  test('processes that start at once migrate once, and all work', async () => {
    const options = cqlOptions(endpoint, newKeyspace())
    const stores = await Promise.all(Array.from({ length: 5 }, () => openCqlStore(options)))
    await Promise.all(stores.map((store) => untilAnswering(store, 60_000)))
    const upload = { kind: 'model', id: mintBlobId(), label: '', content: bytesOf(10) } as const
    await stores[0]!.writeBlob(upload, never)
    for (const store of stores) expect(await store.readBlob(upload, never)).toEqual(upload.content)
    const { rows } = await client.execute(`SELECT * FROM ${options.keyspace}.schema_version`)
    expect(rows.map((row) => [row.part, row.version])).toEqual([['store', 1]])
    const claims = await client.execute(`SELECT * FROM ${options.keyspace}.schema_claims`)
    expect(claims.rows).toEqual([])
    await Promise.all(stores.map((store) => store.close()))
  })

  test('a migration whose claim is held by another waits for it', async () => {
    const options = cqlOptions(endpoint, newKeyspace())
    const { keyspace } = options
    await (await answeringStore(options)).close()
    await client.execute(`TRUNCATE ${keyspace}.schema_version`)
    await client.execute(
      `INSERT INTO ${keyspace}.schema_claims (part, holder) VALUES ('store', 'another')
       IF NOT EXISTS USING TTL 6`,
    )
    const begunMs = performance.now()
    const store = await openCqlStore(options)
    await untilAnswering(store, 60_000)
    expect(performance.now() - begunMs).toBeGreaterThan(4_000)
    await store.close()
  })

  test('a later schema that is compatible is worked on, one that is not is refused', async () => {
    const options = cqlOptions(endpoint, newKeyspace())
    const { keyspace } = options
    await (await answeringStore(options)).close()
    const setVersion = (compatible: number) =>
      client.execute(
        `INSERT INTO ${keyspace}.schema_version (part, version, compatible) VALUES (?, ?, ?)`,
        ['store', 99, compatible],
        { prepare: true },
      )
    await setVersion(1)
    await (await answeringStore(options)).close()
    await setVersion(99)
    const store = await openCqlStore(options)
    const error = await rejectionOf(store.ping(never))
    expect(error.name).toBe('NewerSchema')
    expect(error.message).toContain(`keyspace ${keyspace} has schema 99, this release knows 1`)
    expect(await rejectionOf(store.ping(never))).toMatchObject({ name: 'NewerSchema' })
    await store.close()
  })

  test('partitions of chunks stay small', async () => {
    const options = cqlOptions(endpoint, newKeyspace())
    const store = await answeringStore(options)
    const id = mintBlobId()
    await store.writeBlob({ kind: 'model', id, label: '', content: bytesOf(20_000_000) }, never)
    const { rows } = await client.execute(
      `SELECT bucket, count(*) AS chunks FROM ${options.keyspace}.chunks GROUP BY kind, id, bucket`,
    )
    const sizes = rows.map((row) => [Number(row.bucket), Number(row.chunks)])
    expect(sizes.sort((a, b) => a[0]! - b[0]!)).toEqual([
      [0, 32],
      [1, 32],
      [2, 13],
    ])
    await store.close()
  })

  test('periods without blobs leave the list once they are old, and come back', async () => {
    const options = cqlOptions(endpoint, newKeyspace())
    const young = await answeringStore(options)
    const old = await answeringStore({ ...options, clock: clockAt('2020-01-01T00:00:00Z') })
    const upload = { kind: 'model', id: '016f5e66-old', label: '', content: bytesOf(1) } as const
    const fresh = { ...upload, id: mintBlobId() }
    for (const [store, blob] of [
      [old, upload],
      [young, fresh],
    ] as const) {
      await store.writeBlob(blob, never)
      await store.deleteBlob(blob, never)
    }
    const page = { after: null, limit: 10 }
    expect((await young.listBlobs('model', page, never)).blobs).toEqual([])
    const { rows } = await client.execute(`SELECT period FROM ${options.keyspace}.blob_periods`)
    expect(rows.map((row) => row.period)).toEqual([fresh.id.slice(0, 7)])
    const again = { ...upload, id: '016f5e66-again' }
    await young.writeBlob(again, never)
    const { blobs } = await young.listBlobs('model', page, never)
    expect(blobs.map((blob) => blob.id)).toEqual([again.id])
    await Promise.all([young.close(), old.close()])
  })

  test('settings that can never work are refused at once', async () => {
    const options = cqlOptions(endpoint)
    for (const wrong of [
      { contactPoints: [] },
      { keyspace: 'a; DROP KEYSPACE b' },
      { keyspace: '' },
      { localDataCenter: "x': 1}" },
      { replicationFactor: 0 },
    ])
      expect(await rejectionOf(openCqlStore({ ...options, ...wrong }))).toBeInstanceOf(RangeError)
  })

  test('a data centre that does not exist is named in the fault', async () => {
    const store = await openCqlStore({ ...cqlOptions(endpoint), localDataCenter: 'elsewhere' })
    const error = await rejectionOf(store.ping(never))
    expect(error.name).toBe('Unavailable')
    expect(error.message).toContain('elsewhere')
    await store.close()
  })
})

async function answeringStore(options: Parameters<typeof openCqlStore>[0]) {
  const store = await openCqlStore(options)
  await untilAnswering(store, 60_000)
  return store
}
