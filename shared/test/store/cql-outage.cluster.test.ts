import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cassandra, startCassandra } from '../../../deploy/local/cassandra.ts'
import { freePort } from '../../../deploy/local/process.ts'
import { limits, mintBlobId, openCqlStore, type Store, seededRandom } from '../../src/index.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { bytesOf, never, rejectionOf } from './backend.ts'
import { cqlOptions, startOwnCassandra, untilAnswering } from './cql-backend.ts'

/** How late a rejection may come after its deadline on a busy machine. */
const marginMs = 1_000
const callTimeoutMs = 1_500

describe('the store when its CQL database is not well', () => {
  let server: Cassandra
  let store: Store
  const events: string[] = []
  beforeAll(async () => {
    server = await startOwnCassandra()
    const onEvent = (name: string) => events.push(name)
    store = await openCqlStore({ ...cqlOptions(server), callTimeoutMs, onEvent })
    await untilAnswering(store, 30_000)
  })
  afterAll(async () => {
    await store?.close()
    await server?.stop()
  })

  test('calls to a frozen database reject in time, and it recovers by itself', async () => {
    const upload = {
      kind: 'model',
      id: mintBlobId(),
      label: '',
      content: bytesOf(3_000_000),
    } as const
    await store.writeBlob(upload, never)
    server.freeze()
    try {
      const begunMs = performance.now()
      const calls = [
        store.ping(never),
        store.readBlob(upload, never),
        store.writeBlob({ ...upload, id: mintBlobId() }, never),
        store.listBlobs('model', { after: null, limit: 1 }, never),
        store.getRecord({ collection: 'a', scope: 'b', id: 'c' }, never),
      ]
      for (const call of calls)
        expect(await rejectionOf(call)).toMatchObject({ name: 'Unavailable', part: 'store' })
      expect(performance.now() - begunMs).toBeLessThan(callTimeoutMs + marginMs)
    } finally {
      server.thaw()
    }
    await untilAnswering(store, 15_000)
    expect(await store.readBlob(upload, never)).toEqual(upload.content)
  })

  test('an abort is honoured at once while the database is frozen', async () => {
    server.freeze()
    try {
      const controller = new AbortController()
      const call = rejectionOf(store.ping(controller.signal))
      const reason = new Error('the caller left')
      const abortedMs = performance.now()
      controller.abort(reason)
      expect(await call).toBe(reason)
      expect(performance.now() - abortedMs).toBeLessThan(500)
    } finally {
      server.thaw()
    }
    await untilAnswering(store, 15_000)
  })

  test('a frozen database is not flooded: calls above the bound are refused at once', async () => {
    server.freeze()
    try {
      const count = limits.storeCallsWaitingMax + 200
      const begunMs = performance.now()
      const calls = Array.from({ length: count }, async () => {
        const error = await rejectionOf(store.ping(never))
        return { name: error.name, afterMs: performance.now() - begunMs }
      })
      const ends = await Promise.all(calls)
      expect(ends.every((end) => end.name === 'Unavailable')).toBe(true)
      const early = ends.filter((end) => end.afterMs < callTimeoutMs / 2)
      expect(early.length).toBeGreaterThanOrEqual(100)
    } finally {
      server.thaw()
    }
    await untilAnswering(store, 15_000)
  })

  test('a killed database that comes back is found within seconds, with all that was acknowledged', async () => {
    const upload = {
      kind: 'model',
      id: mintBlobId(),
      label: '',
      content: bytesOf(1_000_000),
    } as const
    const manifest = await store.writeBlob(upload, never)
    await server.kill()
    const begunMs = performance.now()
    expect((await rejectionOf(store.readBlob(upload, never))).name).toBe('Unavailable')
    expect(performance.now() - begunMs).toBeLessThan(callTimeoutMs + marginMs)
    const again = await startCassandra({ dataDir: server.dataDir, port: server.port })
    const { stop } = server
    server = {
      ...again,
      stop: async () => {
        await again.kill()
        await stop()
      },
    }
    await untilAnswering(store, 12_000)
    expect(await store.readManifest(upload, never)).toEqual(manifest)
    expect(await store.readBlob(upload, never)).toEqual(upload.content)
    expect(events[0]).toBe('store.connected')
  })

  test('connections that break again and again end no process, and are made again', async () => {
    const proxy = await startTcpProxy(`http://${server.contactPoint}`, 'other')
    // Slow enough that a search for a new connection is under way when the next cut comes.
    proxy.pass(30)
    const options = { ...cqlOptions(server), contactPoints: [new URL(proxy.endpoint).host] }
    const stores = await Promise.all(Array.from({ length: 8 }, () => openCqlStore(options)))
    try {
      await Promise.all(stores.map((one) => untilAnswering(one, 30_000)))
      const random = seededRandom(1)
      for (let cuts = 0; cuts < 50; cuts += 1) {
        proxy.cut()
        for (const one of stores) void one.ping(never).catch(() => {})
        await delay(random() < 0.5 ? 65 * random() : 1_000 * random())
      }
      await Promise.all(stores.map((one) => untilAnswering(one, 15_000)))
    } finally {
      await Promise.all(stores.map((one) => one.close()))
      await proxy.close()
    }
  })

  test('a store closes in seconds while its database is frozen', async () => {
    const other = await openCqlStore(cqlOptions(server))
    await untilAnswering(other, 30_000)
    server.freeze()
    try {
      const pending = rejectionOf(other.ping(never))
      const begunMs = performance.now()
      await other.close()
      expect(performance.now() - begunMs).toBeLessThan(5_000)
      expect((await pending).name).toBe('Unavailable')
    } finally {
      server.thaw()
    }
  })
})

test('a store opened before its database connects, migrates and answers once it is there', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'almanac-cql-'))
  const port = await freePort()
  const faults: unknown[] = []
  const store = await openCqlStore({
    contactPoints: [`127.0.0.1:${port}`],
    localDataCenter: 'datacenter1',
    keyspace: 'almanac',
    callTimeoutMs,
    onEvent: (name, fields) => faults.push({ name, ...fields }),
  })
  const begunMs = performance.now()
  const error = await rejectionOf(store.ping(never))
  expect(error).toMatchObject({ name: 'Unavailable', part: 'store' })
  expect(error.message).toContain('not connected')
  expect(performance.now() - begunMs).toBeLessThan(callTimeoutMs + marginMs)
  expect(faults[0]).toMatchObject({ name: 'store.connect-failed', attempt: 0 })
  const server = await startCassandra({ dataDir, port })
  try {
    await untilAnswering(store, 20_000)
    const upload = { kind: 'model', id: mintBlobId(), label: '', content: bytesOf(10) } as const
    await store.writeBlob(upload, never)
    expect(await store.readBlob(upload, never)).toEqual(upload.content)
  } finally {
    await store.close()
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
})
