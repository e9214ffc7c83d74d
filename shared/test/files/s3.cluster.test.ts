import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ListMultipartUploadsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ObjectStore, startObjectStore } from '../../../deploy/local/versitygw.ts'
import { openS3Files, type S3FilesOptions } from '../../src/files/s3/open.ts'
import { limits } from '../../src/index.ts'
import { never, rejectionOf } from '../store/backend.ts'
import { startChild } from '../support/child.ts'
import { eventually } from '../support/eventually.ts'
import { type FilesUnderTest, textContent, textOf } from './backend.ts'
import { filesConformance } from './conformance.ts'

const bucket = 'almanac'
let folder: string
let server: ObjectStore
let client: S3Client

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-s3-'))
  server = await startObjectStore({ dataDir: folder, buckets: [bucket] })
  const { endpoint, keys: credentials } = server
  client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
})

afterAll(async () => {
  client.destroy()
  await server.kill()
  await rm(folder, { recursive: true, force: true })
})

const optionsFor = (prefix: string): S3FilesOptions => {
  const { endpoint, keys: credentials } = server
  return { endpoint, credentials, bucket, prefix }
}

async function startBucket(takeAway: () => Promise<void>, giveBack: () => Promise<void>) {
  const prefix = `of/${crypto.randomUUID()}/`
  const leftovers = async () => {
    const command = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix })
    return (await client.send(command)).Uploads?.length ?? 0
  }
  const under: FilesUnderTest = {
    open: async (options = {}) => openS3Files({ ...options, ...optionsFor(prefix) }),
    leftovers,
    dieWriting: async (name) => {
      const options = JSON.stringify(optionsFor(prefix))
      const child = startChild(join(import.meta.dirname, 'children/write-s3.ts'), [options, name])
      await eventually(leftovers, (count) => count > 0)
      await child.kill()
    },
    takeAway,
    giveBack,
    stop: async () => {},
  }
  return under
}

filesConformance('files in a bucket, whose server goes', () =>
  startBucket(
    () => server.kill(),
    () => server.start(),
  ),
)

filesConformance('files in a bucket, whose server says nothing', () =>
  startBucket(
    async () => server.freeze(),
    async () => server.thaw(),
  ),
)

test.each([
  ['keys that are wrong', { credentials: { accessKeyId: 'almanac-test', secretAccessKey: 'no' } }],
  ['a user that is not known', { credentials: { accessKeyId: 'n', secretAccessKey: 'no' } }],
  ['a bucket that is not there', { bucket: 'another-one' }],
])('%s are Unavailable, and say why', async (_what, wrong) => {
  const files = openS3Files({ ...optionsFor('wrong/'), ...wrong })
  const calls = [
    files.write('a', textContent('x'), never),
    files.read('a', never),
    files.list({ prefix: '', after: null, limit: 1 }, never),
  ]
  for (const error of await Promise.all(calls.map(rejectionOf))) {
    expect(error).toMatchObject({ name: 'Unavailable', part: 'files' })
    expect(error.message).toMatch(/Signature|AccessKey|access key|AccessDenied|NoSuchBucket/)
  }
  await files.close()
})

test('what others put into the bucket is a file where its name is one', async () => {
  const files = openS3Files(optionsFor('mixed/'))
  const names = ['a.csv', 'b c.csv', '.hidden', 'z/last']
  for (const name of names)
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `mixed/${name}`, Body: name }))
  const first = await files.list({ prefix: '', after: null, limit: 1 }, never)
  expect(first).toMatchObject({ files: [{ name: 'a.csv' }], next: 'a.csv' })
  const rest = await files.list({ prefix: '', after: first.next, limit: 1 }, never)
  expect(rest).toMatchObject({ files: [{ name: 'z/last' }], next: null })
  expect(await textOf((await files.read('z/last', never)).content)).toBe('z/last')
  await files.close()
})

test('a server that goes while a file is written or read leaves neither half-done', async () => {
  const files = openS3Files({ ...optionsFor('broken/'), transferMs: 2_000, callMs: 1_000 })
  const size = 6 * limits.filePartBytes
  await files.write('read', pieces(size), never)
  const { content } = await files.read('read', never)
  await content.next()
  const writing = rejectionOf(
    files.write(
      'written',
      pieces(size, () => server.kill()),
      never,
    ),
  )
  expect(await writing).toMatchObject({ name: 'Unavailable' })
  expect(await rejectionOf(textOf(content))).toMatchObject({ name: 'Unavailable' })
  await server.start()
  expect(await files.info('written', never)).toBeUndefined()
  await files.close()
})

async function* pieces(sizeBytes: number, halfway: () => Promise<void> = async () => {}) {
  const piece = Buffer.alloc(1_048_576, 'x')
  for (let at = 0; at < sizeBytes; at += piece.byteLength) {
    if (at === sizeBytes / 2) await halfway()
    yield piece
  }
}
