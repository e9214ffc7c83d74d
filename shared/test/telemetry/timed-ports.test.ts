import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import {
  absent,
  createRegistry,
  mintBlobId,
  openEmbeddedCoordinator,
  openSqliteStore,
  put,
  timedCoordinator,
  timedStore,
} from '../../src/index.ts'

const signal = new AbortController().signal
const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

test('a timed coordinator answers as the real one does, and its calls are counted', async () => {
  const registry = createRegistry('broker')
  const real = await openEmbeddedCoordinator({ path: ':memory:' })
  ends.push(() => real.close())
  const timed = timedCoordinator(real, registry)
  const lease = await timed.grantLease(10_000, signal)
  const transaction = { when: [absent('/a')], then: [put('/a', 'x', lease.id)] }

  expect((await timed.transact(transaction, signal)).succeeded).toBe(true)
  expect((await timed.get('/a', signal))?.lease).toBe(lease.id)
  expect((await timed.list('/', signal)).entries).toHaveLength(1)
  expect(await timed.clusterId(signal)).toBe(await real.clusterId(signal))
  expect(lease.validMs()).toBeGreaterThan(0)
  await lease.revoke(signal)
  expect(lease.lost.aborted).toBe(true)
  expect(lease.validMs()).toBe(0)

  const text = await registry.metrics()
  for (const call of ['grant-lease', 'transact', 'get', 'list', 'cluster-id', 'revoke-lease'])
    expect(text).toMatch(count('coordinator', call, 'done'))
})

test('a call that rejects is counted as failed, and rejects with the same reason', async () => {
  const registry = createRegistry('broker')
  const real = await openEmbeddedCoordinator({ path: ':memory:' })
  ends.push(() => real.close())
  const reason = new Error('given up')

  const call = timedCoordinator(real, registry).get('/a', AbortSignal.abort(reason))

  await expect(call).rejects.toBe(reason)
  expect(await registry.metrics()).toMatch(count('coordinator', 'get', 'failed'))
})

test('a timed store answers as the real one does, and its calls are counted', async () => {
  const registry = createRegistry('model-api')
  const folder = await mkdtemp(join(tmpdir(), 'almanac-timed-'))
  ends.push(() => rm(folder, { recursive: true }))
  const real = await openSqliteStore({ path: join(folder, 'store.sqlite') })
  ends.push(() => real.close())
  const timed = timedStore(real, registry)
  const ref = { kind: 'model', id: mintBlobId() } as const

  await timed.writeBlob({ ...ref, content: Uint8Array.of(1, 2), label: 'a test' }, signal)
  expect([...(await timed.readBlob(ref, signal))]).toEqual([1, 2])

  const text = await registry.metrics()
  expect(text).toMatch(count('store', 'write-blob', 'done'))
  expect(text).toMatch(count('store', 'read-blob', 'done'))
})

function count(part: string, call: string, outcome: string): RegExp {
  const labels = `\\{(?=[^}]*call="${call}")(?=[^}]*outcome="${outcome}")[^}]*\\}`
  return new RegExp(`^almanac_${part}_call_seconds_count${labels} 1$`, 'm')
}
