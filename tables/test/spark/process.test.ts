import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { side } from '../run/sides.ts'
import { makeFolder } from '../run/tables.ts'
import { cert, key } from './certificate.ts'
import { type Asked, startSparkServer } from './server.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(() => folder.drop())
afterEach(() => vi.unstubAllEnvs())

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

/** Far enough to know that Spark was reached and has let the node in. */
const refuseRows = ({ sql, send, end, fail }: Asked) => {
  if (sql?.startsWith('INSERT')) return fail(13, '[UNRESOLVED_COLUMN] x. SQLSTATE: 42703')
  send('1')
  end()
}
const tls = { cert: Buffer.from(cert), key: Buffer.from(key) }
const token = 'of-nobody-at-all-1'

test('a Spark with TLS and a token is spoken to by both', async () => {
  const server = await startSparkServer(refuseRows, { tls, token })
  try {
    const trusted = join(folder.path, 'trusted.pem')
    await writeFile(trusted, cert)
    vi.stubEnv('NODE_EXTRA_CA_CERTS', trusted)
    vi.stubEnv('GRPC_DEFAULT_SSL_ROOTS_FILE_PATH', undefined)
    const { address } = server
    const { result } = await side(folder.path, {}, table, { address, tls: true, token })
    expect(result).toMatchObject({
      kind: 'refused',
      faults: [{ detail: expect.stringContaining('UNRESOLVED_COLUMN') }],
    })
    expect(server.others.slice(-2)).toEqual(['interrupt', 'releaseSession'])
    for (const wrong of [null, 'of-somebody-else-1']) {
      const turned = await side(folder.path, {}, table, { address, tls: true, token: wrong })
      const detail = expect.stringContaining('does not take the token')
      expect(turned.result).toMatchObject({ kind: 'failed', detail })
      expect(JSON.stringify(turned.result)).not.toContain('somebody')
    }
  } finally {
    server.stop()
  }
}, 60_000)

test('a Spark whose certificate nobody trusts is told no token', async () => {
  let asked = 0
  const count = (one: Asked) => {
    asked += 1
    refuseRows(one)
  }
  const server = await startSparkServer(count, { tls, token })
  try {
    const { address } = server
    const { result } = await side(folder.path, {}, table, { address, tls: true, token })
    expect(result).toMatchObject({ kind: 'away', detail: expect.stringContaining('certificate') })
    expect(asked).toBe(0)
  } finally {
    server.stop()
  }
}, 60_000)
