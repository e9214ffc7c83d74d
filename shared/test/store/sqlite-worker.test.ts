import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits, mintBlobId } from '../../src/index.ts'
import { sqliteRows } from '../../src/store/sqlite/open.ts'
import { WorkerHost } from '../../src/store/sqlite/worker-host.ts'
import { storeOver } from '../../src/store/store.ts'
import { bytesOf, never, rejectionOf } from './backend.ts'

describe('the thread of the SQLite store', () => {
  let folder: string
  let path: string
  let host: WorkerHost
  const start = async (callTimeoutMs: number) => {
    host = new WorkerHost(path, callTimeoutMs)
    await host.start()
    return storeOver(sqliteRows(host))
  }
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'almanac-sqlite-'))
    path = join(folder, 'store.sqlite')
  })
  afterEach(async () => {
    await host.close()
    await rm(folder, { recursive: true })
  })

  test('dies: the call in progress is Unavailable, the next one finds a new thread', async () => {
    const store = await start(5_000)
    const ref = { kind: 'model', id: mintBlobId() } as const
    await store.writeBlob({ ...ref, label: '', content: bytesOf(7) }, never)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const record = { collection: 'a', scope: 'b', id: 'c', value: '' }
    const inProgress = rejectionOf(store.putRecord(record, never))
    const waiting = store.readBlob(ref, never)
    await host.kill()
    other.exec('ROLLBACK')
    other.close()
    expect(await inProgress).toMatchObject({
      name: 'Unavailable',
      message: 'the database thread ended',
    })
    expect(await waiting).toEqual(bytesOf(7))
    await host.kill()
    await host.kill()
    expect(await store.readBlob(ref, never)).toEqual(bytesOf(7))
  })

  test('a call that takes too long rejects in time with Unavailable', async () => {
    const store = await start(300)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const begunMs = performance.now()
    const record = { collection: 'a', scope: 'b', id: 'c', value: '' }
    const calls = [store.putRecord(record, never), store.ping(never)]
    for (const call of calls) expect((await rejectionOf(call)).name).toBe('Unavailable')
    expect(performance.now() - begunMs).toBeLessThan(1_000)
    other.exec('ROLLBACK')
    other.close()
  })

  test('a lock held by another process for long is Unavailable, not a bug', async () => {
    const store = await start(10_000)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const record = { collection: 'a', scope: 'b', id: 'c', value: '' }
    const error = await rejectionOf(store.putRecord(record, never))
    expect(error).toMatchObject({ name: 'Unavailable', message: 'database is locked' })
    other.exec('ROLLBACK')
    other.close()
    await store.putRecord(record, never)
  })

  test('a call given up while it waits is never carried out', async () => {
    const store = await start(10_000)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const put = (id: string, signal: AbortSignal) =>
      store.putRecord({ collection: 'a', scope: 'b', id, value: '' }, signal)
    const controller = new AbortController()
    const first = put('first', never)
    const second = rejectionOf(put('second', controller.signal))
    const reason = new Error('the caller left')
    controller.abort(reason)
    expect(await second).toBe(reason)
    other.exec('ROLLBACK')
    other.close()
    await first
    const page = { after: null, limit: 10 }
    const { records } = await store.listRecords({ collection: 'a', scope: 'b' }, page, never)
    expect(records.map((record) => record.id)).toEqual(['first'])
  })

  test('calls above the bound are refused at once', async () => {
    const store = await start(10_000)
    const calls = Array.from({ length: limits.storeCallsWaitingMax + 1 }, () => store.ping(never))
    const error = await rejectionOf(store.ping(never))
    expect(error).toMatchObject({ name: 'Unavailable' })
    expect(error.message).toContain('waiting already')
    await Promise.all(calls)
    await store.ping(never)
  })

  test('close lets the call in progress finish and refuses the others', async () => {
    const store = await start(5_000)
    const record = { collection: 'a', scope: 'b', id: 'c', value: 'kept' }
    const calls = [store.putRecord(record, never), rejectionOf(store.ping(never))] as const
    await store.close()
    await calls[0]
    expect((await calls[1]).name).toBe('Unavailable')
    const again = await start(5_000)
    expect(await again.getRecord(record, never)).toEqual(record)
  })
})
