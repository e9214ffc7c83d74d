import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { type ClientRequest, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type Files, limits, openFolderFiles } from '@almanac/shared'
import { request } from 'undici'
import { afterEach, describe, expect, test } from 'vitest'
import type { Bounds } from '../../src/config/bounds.ts'
import type { Broker } from '../../src/server/broker.ts'
import { type Answer, call, get, openCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'

const toClose: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

type Open = { readonly broker: Broker; readonly files: Files; readonly folder: string }
type Changes = { bytesMax?: number; idleMs?: number }

async function open(changes: Changes = {}, bounds: Partial<Bounds> = {}): Promise<Open> {
  const folder = await mkdtemp(join(tmpdir(), 'broker-files-'))
  toClose.push(() => rm(folder, { recursive: true }))
  const files = await openFolderFiles({ path: folder, ...changes })
  toClose.push(() => files.close())
  const cluster = await openCluster()
  return { broker: await cluster.broker(bounds, { files }), files, folder }
}

async function put(
  { broker }: Pick<Open, 'broker'>,
  name: string,
  body: string | Buffer | Readable | null,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const path = `${broker.url}/api/files/${name}`
  const response = await request(path, { method: 'PUT', body, headers })
  const text = await response.body.text()
  const { statusCode: status } = response
  return { status, headers: response.headers, text, body: JSON.parse(text) }
}

async function postForm({ broker }: Open, form: FormData, query = '') {
  const response = await fetch(`${broker.url}/api/files${query}`, { method: 'POST', body: form })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const formOf = (...files: readonly (readonly [name: string, text: string])[]) => {
  const form = new FormData()
  for (const [name, text] of files) form.append('file', new File([text], name), name)
  return form
}

const problem = (code: string) => `urn:almanac:problem:${code}`

/** Nothing but whole files: no draft, under whatever name. */
async function nothingIsLeft({ files, folder }: Open, name: string): Promise<void> {
  const draftsOf = async () => (await readdir(join(folder, '.partial')).catch(() => [])).length
  await eventually(draftsOf, (count) => count === 0)
  expect(await files.info(name, new AbortController().signal)).toBeUndefined()
}

/** A request whose body the test sends as it likes. */
function begin({ broker }: Open, name: string, headers: Record<string, string> = {}) {
  const sent = httpRequest(`${broker.url}/api/files/${name}`, { method: 'PUT', headers })
  sent.on('error', () => {})
  toClose.push(async () => sent.destroy())
  return sent
}

async function answerTo(sent: ClientRequest) {
  const [answer] = await once(sent, 'response', { signal: AbortSignal.timeout(10_000) })
  const text = (await Readable.from(answer).toArray()).join('')
  return { status: answer.statusCode as number, body: JSON.parse(text), headers: answer.headers }
}

describe('one file', () => {
  test.each([
    ['application/octet-stream', { 'content-type': 'application/octet-stream' }],
    ['JSON', { 'content-type': 'application/json' }],
    ['text', { 'content-type': 'text/csv; charset=utf-8' }],
    ['nothing', {}],
  ])('is stored, told, given out and removed, whatever it is sent as: %s', async (_as, headers) => {
    const opened = await open()
    const { broker } = opened
    const written = await put(opened, 'sales/2024.csv', 'store,day\n1,2\n', headers)
    expect(written).toMatchObject({ status: 200, body: { name: 'sales/2024.csv', sizeBytes: 14 } })
    const info = await get(broker, '/api/files/sales/2024.csv')
    expect(info.body).toMatchObject({ sizeBytes: 14, etag: written.body.etag })
    const bytes = await get(broker, '/api/files/sales%2F2024.csv?content=true')
    expect(bytes.text).toBe('store,day\n1,2\n')
    expect(bytes.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '14',
      etag: `"${written.body.etag}"`,
    })
    const accept = { accept: 'application/octet-stream' }
    expect((await get(broker, '/api/files/sales/2024.csv', accept)).text).toBe(bytes.text)
    expect((await call(broker, 'DELETE', '/api/files/sales/2024.csv')).status).toBe(200)
    const gone = await get(broker, '/api/files/sales/2024.csv?content=true')
    expect(gone).toMatchObject({ status: 404, body: { type: problem('no-such-file') } })
    expect((await call(broker, 'DELETE', '/api/files/sales/2024.csv')).status).toBe(404)
  })

  test('of 256 MB without a length passes in memory that does not grow with it', async () => {
    const opened = await open()
    const piece = Buffer.alloc(65_536, 'x')
    const before = process.memoryUsage().rss
    let mostBytes = 0
    const watch = () => {
      mostBytes = Math.max(mostBytes, process.memoryUsage().rss - before)
    }
    async function* pieces() {
      for (let i = 0; i < 4_096; i += 1) {
        watch()
        yield piece
      }
    }
    const written = await put(opened, 'large', Readable.from(pieces(), { objectMode: false }))
    expect(written).toMatchObject({ status: 200, body: { sizeBytes: 4_096 * 65_536 } })
    const { body } = await request(`${opened.broker.url}/api/files/large?content=true`)
    let bytes = 0
    for await (const part of body) {
      bytes += part.length
      watch()
    }
    expect(bytes).toBe(4_096 * 65_536)
    expect(mostBytes).toBeLessThan(160 * 1_048_576)
  })

  test('that is not taken is not read further than what is on its way', async () => {
    const opened = await open()
    await put(opened, 'slowly', Buffer.alloc(50_000_000))
    const { body } = await request(`${opened.broker.url}/api/files/slowly?content=true`)
    await delay(300)
    // Nobody reads: what has come is what sockets hold.
    expect(body.readableLength).toBeLessThan(2_000_000)
    body.destroy()
    expect((await put(opened, 'slowly', 'another')).status).toBe(200)
  })

  test.each([
    ['..%2Fa', 400, 'invalid'],
    ['.hidden', 400, 'invalid'],
    ['a%20b', 400, 'invalid'],
    ['a//b', 400, 'invalid'],
    ['', 400, 'invalid'],
    ['x'.repeat(201), 400, 'invalid'],
    ['%zz', 400, 'path'],
    ['a?replace=true', 400, 'unknown-parameter'],
  ])('named %j is refused with %i %s', async (name, status, code) => {
    const opened = await open()
    expect(await put(opened, name, 'x')).toMatchObject({ status, body: { type: problem(code) } })
  })

  test('without bytes is refused, with and without a length', async () => {
    const opened = await open()
    for (const body of [null, '', Readable.from([])])
      expect(await put(opened, 'empty', body)).toMatchObject({
        status: 400,
        body: { type: problem('no-body') },
      })
    await nothingIsLeft(opened, 'empty')
  })

  test('that is too large is refused: by its length at once, else when it is', async () => {
    const opened = await open({ bytesMax: 100_000 }, { bodyBytesMax: 1_000 })
    const refused = { status: 413, body: { type: problem('file-too-large') } }
    expect(await put(opened, 'large', Buffer.alloc(100_001))).toMatchObject(refused)
    const stream = Readable.from([Buffer.alloc(60_000), Buffer.alloc(60_000)])
    expect(await put(opened, 'large', stream)).toMatchObject(refused)
    await nothingIsLeft(opened, 'large')
    const asking = begin(opened, 'large', { expect: '100-continue', 'content-length': '100001' })
    let asked = 0
    asking.once('continue', () => {
      asked += 1
    })
    asking.flushHeaders()
    expect(await answerTo(asking)).toMatchObject({ status: 413 })
    expect(asked).toBe(0)
  })

  test('that is large is asked for when its client waits for that', async () => {
    const opened = await open({}, { bodyBytesMax: 1_000 })
    const asking = begin(opened, 'asked', { expect: '100-continue', 'content-length': '5000' })
    asking.flushHeaders()
    await once(asking, 'continue', { signal: AbortSignal.timeout(5_000) })
    asking.end(Buffer.alloc(5_000))
    expect(await answerTo(asking)).toMatchObject({ status: 200, body: { sizeBytes: 5_000 } })
  })

  test.each([{}, { 'content-length': '1000000' }])(
    'that is cut off in the middle is not kept, with the headers %j',
    async (headers) => {
      const opened = await open()
      const sent = begin(opened, 'cut/off', headers)
      sent.write(Buffer.alloc(300_000))
      const draftsOf = () => readdir(join(opened.folder, '.partial')).catch(() => [])
      await eventually(draftsOf, (drafts) => drafts.length > 0)
      sent.destroy()
      await nothingIsLeft(opened, 'cut/off')
    },
  )

  test('that does not come is ended, and is not kept', async () => {
    const opened = await open({ idleMs: 300 })
    const sent = begin(opened, 'idle')
    sent.write('first')
    expect(await answerTo(sent)).toMatchObject({
      status: 408,
      body: { type: problem('too-slow') },
    })
    await nothingIsLeft(opened, 'idle')
  })

  test('under a name that is a folder is refused', async () => {
    const opened = await open()
    await put(opened, 'a/b', 'x')
    const taken = { status: 409, body: { type: problem('name-taken') } }
    expect(await put(opened, 'a', 'x')).toMatchObject(taken)
    expect(await put(opened, 'a/b/c', 'x')).toMatchObject(taken)
  })

  test('is refused while as many as may be are under way, and taken again then', async () => {
    const opened = await open({}, { uploadsMax: 1, downloadsMax: 1 })
    const first = begin(opened, 'first')
    first.write('x')
    const draftsOf = () => readdir(join(opened.folder, '.partial')).catch(() => [])
    await eventually(draftsOf, (drafts) => drafts.length > 0)
    const refused = await put(opened, 'second', 'x')
    expect(refused).toMatchObject({ status: 503, body: { type: problem('too-many-uploads') } })
    expect(refused.headers['retry-after']).toBe('1')
    first.end()
    expect(await answerTo(first)).toMatchObject({ status: 200 })
    await eventually(
      () => put(opened, 'second', 'x'),
      ({ status }) => status === 200,
    )
  })
})

describe('a form', () => {
  test('stores each of its files under its own name', async () => {
    const opened = await open()
    const form = formOf(['a.csv', 'of a'], ['b.csv', 'of b'.repeat(100_000)])
    form.append('note', 'a field that is no file')
    const answer = await postForm(opened, form, '?prefix=sales/')
    expect(answer).toMatchObject({
      status: 201,
      body: { files: [{ name: 'sales/a.csv', sizeBytes: 4 }, { name: 'sales/b.csv' }] },
    })
    const bytes = await get(opened.broker, '/api/files/sales/b.csv?content=true')
    expect(bytes.text).toBe('of b'.repeat(100_000))
  })

  test.each([
    ['no file', formOf(), 400, 'no-body'],
    ['a file without bytes', formOf(['a', '']), 400, 'no-body'],
    ['a name that is none', formOf(['a b', 'x']), 400, 'invalid'],
    ['a file that is too large', formOf(['a', 'x'.repeat(2_000)]), 413, 'file-too-large'],
  ])('with %s is refused', async (_what, form, status, code) => {
    const opened = await open({ bytesMax: 1_000 })
    const answer = await postForm(opened, form)
    expect(answer).toMatchObject({ status, body: { type: problem(code) } })
    await nothingIsLeft(opened, 'a')
  })

  test('says what was stored before its mistake', async () => {
    const opened = await open({ bytesMax: 1_000 })
    const form = formOf(['a', 'x'], ['b', 'x'.repeat(300_000)], ['c', 'x'])
    const answer = await postForm(opened, form)
    expect(answer).toMatchObject({ status: 413 })
    expect(String(answer.body.detail)).toContain('Stored before it: a.')
    await nothingIsLeft(opened, 'b')
    await nothingIsLeft(opened, 'c')
  })

  test('with two files of one name is refused, and the first one is kept', async () => {
    const opened = await open()
    const answer = await postForm(opened, formOf(['a.csv', 'first'], ['a.csv', 'second']))
    expect(answer).toMatchObject({ status: 400, body: { type: problem('name-twice') } })
    expect(String(answer.body.detail)).toContain('called a.csv. Stored before it: a.csv.')
    expect((await get(opened.broker, '/api/files/a.csv?content=true')).text).toBe('first')
  })

  test('says which of its names is none', async () => {
    const answer = await postForm(await open(), formOf(['a.csv', 'x'], ['Umsätze 1.csv', 'x']))
    expect(String(answer.body.detail)).toContain('It is "Umsätze 1.csv".')
    expect(String(answer.body.remedy)).toContain('filename=')
  })

  test('with more files than may be is refused', async () => {
    const opened = await open()
    const many = Array.from({ length: limits.formFilesMax + 1 }, (_, i) => [`f${i}`, 'x'] as const)
    const answer = await postForm(opened, formOf(...many))
    expect(answer).toMatchObject({ status: 400, body: { type: problem('not-a-form') } })
  })

  test('with more files than may be is refused for that, while one of them is read', async () => {
    const opened = await open()
    const parts = Array.from({ length: limits.formFilesMax + 1 }, (_, i) => {
      const disposition = `Content-Disposition: form-data; name="f"; filename="f${i}"`
      return `--b\r\n${disposition}\r\n\r\ncontent\r\n`
    })
    const text = `${parts.join('')}--b--\r\n`
    // The last of those that may be is read to where its end may be, and waited for.
    const half = text.lastIndexOf('--b\r')
    async function* inTwo() {
      yield text.slice(0, half)
      const before = `f${limits.formFilesMax - 2}`
      const { signal } = new AbortController()
      await eventually(
        () => opened.files.info(before, signal),
        (info) => info !== undefined,
      )
      await delay(100)
      yield text.slice(half)
    }
    const answer = await request(`${opened.broker.url}/api/files`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: Readable.from(inTwo(), { objectMode: false }),
    })
    expect(answer.statusCode).toBe(400)
    expect(await answer.body.json()).toMatchObject({ type: problem('not-a-form') })
    await nothingIsLeft(opened, `f${limits.formFilesMax}`)
  })

  const type = 'multipart/form-data; boundary=b'
  const part = '--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nhalf'
  test.each([
    ['no boundary', 'multipart/form-data', part, 400, 'not-a-form'],
    ['another type', 'application/json', '{}', 415, 'content-type'],
    ['no part', type, 'nonsense', 400, 'not-a-form'],
    ['broken headers of a part', type, part.replace('"a"', '"a"\r,'), 400, 'not-a-form'],
    ['half a part', type, part, 400, 'cut-off'],
    ['no body', type, '', 400, 'not-a-form'],
  ])('that has %s is refused, and nothing is kept', async (_what, as, body, status, code) => {
    const opened = await open()
    const headers = { 'content-type': as }
    const answer = await call(opened.broker, 'POST', '/api/files', { body, headers })
    expect(answer, answer.text).toMatchObject({ status, body: { type: problem(code) } })
    await nothingIsLeft(opened, 'a')
  })
})

describe('what is wrong with an upload', () => {
  test('is told with the name that was given', async () => {
    const { broker } = await open()
    const body = new FormData()
    body.append('file', new Blob(['a']), 'sales (1).csv')
    const form = new Response(body)
    const answer = await call(broker, 'POST', '/api/files', {
      body: await form.text(),
      headers: { 'content-type': form.headers.get('content-type')! },
    })
    expect(answer.status, answer.text).toBe(400)
    expect(answer.body.detail).toContain('It is "sales (1).csv".')
  })

  test('is told in whole sentences, with what to do', async () => {
    const { broker } = await open()
    const answer = await call(broker, 'POST', '/upload')
    expect(answer.body.detail).toMatch(/^The body is not a form with files.*[^.]\.$/)
    expect(answer.body.remedy).toContain('curl -F file=@')
  })
})

describe('lists of files', () => {
  test('have pages, and begin where they are told to', async () => {
    const opened = await open()
    const { broker } = opened
    for (const name of ['b/2', 'a', 'b/1', 'b/3', 'c']) await put(opened, name, name)
    const first = await get(broker, '/api/files?prefix=b/&limit=2')
    expect(first.body).toMatchObject({ files: [{ name: 'b/1' }, { name: 'b/2' }], next: 'b/2' })
    const second = await get(broker, `/api/files?prefix=b/&limit=2&cursor=${first.body.next}`)
    expect(second.body).toMatchObject({ files: [{ name: 'b/3' }], next: null })
  })

  test.each(['limit=0', 'limit=101', 'limit=1&limit=2', 'prefix=%20', 'cursor=%20', 'page=1'])(
    'refuse %s by its name',
    async (query) => {
      const { broker } = await open()
      const answer = await get(broker, `/api/files?${query}`)
      expect(answer.status, answer.text).toBe(400)
      expect(answer.body.field).toBe(query.split('=')[0])
    },
  )
})

test('without a place for files every call says which setting is missing', async () => {
  const broker = await (await openCluster()).broker()
  const calls = [
    put({ broker }, 'a', 'x'),
    get(broker, '/api/files'),
    get(broker, '/api/files/a'),
    call(broker, 'DELETE', '/api/files/a'),
  ]
  for (const { status, body } of await Promise.all(calls)) {
    expect(status).toBe(409)
    expect(body.remedy).toContain('ALMANAC_FILES')
  }
})

test('a place that is away is a 503 that says so', async () => {
  const opened = await open()
  await opened.files.close()
  const answer = await get(opened.broker, '/api/files')
  expect(answer).toMatchObject({ status: 503, body: { type: problem('files-away') } })
  expect(answer.headers['retry-after']).toBe('1')
})
