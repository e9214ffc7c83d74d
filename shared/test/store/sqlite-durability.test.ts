import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mintBlobId, openSqliteStore, type Store } from '../../src/index.ts'
import { bytesOf, never, rejectionOf } from './backend.ts'

const fixtures = join(import.meta.dirname, 'fixtures')

describe('the SQLite file', () => {
  let folder: string
  let path: string
  const stores: Store[] = []
  const open = async () => {
    const store = await openSqliteStore({ path })
    stores.push(store)
    return store
  }
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'almanac-sqlite-'))
    path = join(folder, 'deep', 'store.sqlite')
  })
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close()
    await rm(folder, { recursive: true })
  })

  test('all that was acknowledged survives kill -9 in the middle of writing', async () => {
    const acknowledged = await writeUntilKilled(path, 12)
    const store = await open()
    for (const [index, id] of acknowledged) {
      const content = await store.readBlob({ kind: 'model', id }, never)
      expect(Buffer.compare(content, bytesOf(300_000 + index, index))).toBe(0)
      const record = await store.getRecord({ collection: 'jobs', scope: 'all', id }, never)
      expect(record?.value).toBe(String(index))
    }
    const { blobs } = await store.listBlobs('model', { after: null, limit: 100 }, never)
    // At most the one that it was at is there besides, finished or not.
    expect(blobs.length - acknowledged.length).toBeLessThanOrEqual(1)
  })

  test('is safe against a loss of power: write-ahead log, synchronised at every commit', async () => {
    await open()
    const database = new DatabaseSync(path)
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    database.close()
    // The other half is a setting of the connection, which no other connection can see.
    const worker = await readFile(join(import.meta.dirname, '../../src/store/sqlite/worker.ts'))
    expect(worker.toString()).toContain('PRAGMA synchronous = FULL')
  })

  test('of a later release is refused with what to do, and not touched', async () => {
    await (await open()).close()
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 99')
    database.close()
    const error = await rejectionOf(open())
    expect(error.name).toBe('NewerSchema')
    expect(error.message).toContain(`${path} has schema 99, this release knows 1`)
    const after = new DatabaseSync(path)
    expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 })
    after.close()
  })

  test('of the first release is read', async () => {
    const first = await readFile(join(fixtures, 'sqlite-schema-1.sql'), 'utf8')
    path = join(folder, 'first.sqlite')
    const database = new DatabaseSync(path)
    database.exec(first)
    database.close()
    const store = await open()
    const { blobs } = await store.listBlobs('model', { after: null, limit: 10 }, never)
    expect(blobs.map((blob) => blob.manifest?.label ?? null)).toEqual(['default/7', null])
    expect(Buffer.from(await store.readBlob(blobs[0]!, never)).toString()).toBe('forecast')
    const scope = { collection: 'versions', scope: 'default/default' }
    const { records } = await store.listRecords(scope, { after: null, limit: 10 }, never)
    expect(records).toEqual([{ ...scope, id: '000000000001', value: '{"version":1}' }])
  })

  test('has after its migrations the schema that the stored sample has', async () => {
    await (await open()).close()
    const sample = new DatabaseSync(':memory:')
    sample.exec(await readFile(join(fixtures, 'sqlite-schema-1.sql'), 'utf8'))
    const ours = new DatabaseSync(path)
    expect(schemaOf(ours)).toEqual(schemaOf(sample))
    ours.close()
    sample.close()
  })

  test('can be opened by eight at once, the first time too', async () => {
    const opened = await Promise.all(Array.from({ length: 8 }, open))
    const ref = { kind: 'model', id: mintBlobId() } as const
    await opened[0]!.writeBlob({ ...ref, label: '', content: bytesOf(5) }, never)
    for (const store of opened) expect(await store.readBlob(ref, never)).toEqual(bytesOf(5))
  })

  test('that is not a database is called damaged', async () => {
    path = join(folder, 'text.sqlite')
    await writeFile(path, 'this is no database, and never was one '.repeat(100))
    expect((await rejectionOf(open())).name).toBe('Damaged')
  })
})

/** The acknowledged (number, id) pairs of a child that was killed while it went on writing. */
async function writeUntilKilled(path: string, count: number): Promise<[number, string][]> {
  const script = join(fixtures, 'write-until-killed.ts')
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const acknowledged: [number, string][] = []
  for await (const line of createInterface(child.stdout)) {
    const [index, id] = line.split(' ')
    acknowledged.push([Number(index), id!])
    if (acknowledged.length === count) child.kill('SIGKILL')
  }
  await exited
  expect(acknowledged.length).toBeGreaterThanOrEqual(count)
  return acknowledged
}

function schemaOf(database: DatabaseSync): unknown {
  const rows = database.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all()
  return rows.map(({ name, sql }) => ({ name, sql: String(sql).replace(/\s+/g, ' ') }))
}
