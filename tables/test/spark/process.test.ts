import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { side } from '../run/sides.ts'
import { makeFolder } from '../run/tables.ts'
import { startSparkServer } from './server.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(() => folder.drop())

const table = 'date,store,sold\n2024-01-01,a,1\n'

test('a table whose Spark is not there is not done, and not at fault', async () => {
  const server = await startSparkServer(() => {})
  server.stop()
  const { result, shards } = await side(folder.path, {}, table, server.address)
  expect(result).toMatchObject({
    kind: 'away',
    detail: expect.stringContaining('Spark cannot be reached'),
  })
  expect(shards).toEqual([])
}, 60_000)

test('a table whose Spark starts anew in the middle is not done, and not at fault', async () => {
  let asked = 0
  const server = await startSparkServer(({ send, end, fail }) => {
    asked += 1
    if (asked > 6) return fail(13, '[INVALID_HANDLE.SESSION_CHANGED] SQLSTATE: HY000')
    send('1')
    end()
  })
  try {
    const { result } = await side(folder.path, {}, table, server.address)
    expect(result).toMatchObject({ kind: 'away', detail: expect.stringContaining('forgotten') })
    expect(server.others.slice(-2)).toEqual(['interrupt', 'releaseSession'])
  } finally {
    server.stop()
  }
}, 60_000)

test('a table that nobody wants any more is ended at Spark, too', async () => {
  const controller = new AbortController()
  const server = await startSparkServer(({ sql, send, end }) => {
    if (sql?.startsWith('INSERT')) return controller.abort(new Error('no longer wanted'))
    send('1')
    end()
  })
  try {
    const ended = side(folder.path, {}, table, server.address, controller.signal)
    await expect(ended).rejects.toThrow('no longer wanted')
    expect(server.others).toContain('interrupt')
    expect(server.others).toContain('releaseSession')
  } finally {
    server.stop()
  }
}, 60_000)

test('a query that Spark refuses ends the table with what it said, and leaves no place behind', async () => {
  const server = await startSparkServer(({ sql, send, end, fail }) => {
    if (sql?.startsWith('INSERT')) return fail(13, '[UNRESOLVED_COLUMN] x. SQLSTATE: 42703')
    send('1')
    end()
  })
  try {
    const own = await makeFolder()
    const { result } = await side(own.path, {}, table, server.address)
    expect(result).toMatchObject({
      kind: 'refused',
      faults: [{ detail: expect.stringContaining('UNRESOLVED_COLUMN') }],
    })
    const left = await readdir(own.path, { recursive: true })
    expect(left.filter((name) => /stage|table-/.test(name))).toEqual([])
    await own.drop()
  } finally {
    server.stop()
  }
}, 60_000)
