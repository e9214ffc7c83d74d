import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, openFolderFiles, systemClock, Unavailable } from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import { bucketStage, folderStage } from '../../src/fitting/table/spark-place.ts'

const soon = () => AbortSignal.timeout(20_000)

async function makeFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'almanac-stage-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function makePart(): Promise<string> {
  const file = join(await makeFolder(), 'part')
  await writeFile(file, 'rows')
  return file
}

const daysLater = (days: number): Clock => ({
  ...systemClock,
  wallTime: () => new Date(Date.now() + days * 86_400_000).toISOString(),
})

test('a place in a folder has what was put there, by the name that Spark has for it', async () => {
  const path = await makeFolder()
  await chmod(path, 0o2770)
  const place = await folderStage(path, systemClock).place(soon())
  expect((await stat(fileURLToPath(place.url))).mode & 0o7777).toBe(0o2770)
  await place.put('parts/part-000000.parquet', await makePart(), soon())
  const parts = join(fileURLToPath(place.url), 'parts')
  expect(await readdir(parts)).toEqual(['part-000000.parquet'])
  expect(await readFile(join(parts, 'part-000000.parquet'), 'utf8')).toBe('rows')
  await place.drop()
  await place.drop()
  expect(await readdir(path)).toEqual([])
})

test('what a node that was killed left there goes a day later, and nothing else does', async () => {
  const path = await makeFolder()
  await mkdir(join(path, 'of-somebody-else'))
  await folderStage(path, systemClock).place(soon())
  const young = await folderStage(path, daysLater(0.5)).place(soon())
  expect(await readdir(path)).toHaveLength(3)
  const last = await folderStage(path, daysLater(1.2)).place(soon())
  const names = [young, last].map(({ url }) => url.split('/').at(-1)!)
  expect((await readdir(path)).toSorted()).toEqual(['of-somebody-else', ...names].toSorted())
})

test('a folder that is away is an outage, not the end of a fit', async () => {
  const file = await makePart()
  await expect(folderStage(file, systemClock).place(soon())).rejects.toThrow(Unavailable)
  const path = await makeFolder()
  const place = await folderStage(path, systemClock).place(soon())
  await rm(path, { recursive: true })
  await writeFile(path, 'no folder any more')
  await expect(place.put('parts/a', file, soon())).rejects.toThrow(Unavailable)
})

test('a place in a bucket has what was put there until it is dropped, or a day later', async () => {
  const path = await makeFolder()
  const files = await openFolderFiles({ path })
  onTestFinished(() => files.close())
  const names = async () => {
    const { files: all } = await files.list({ prefix: '', after: null, limit: 100 }, soon())
    return all.map(({ name }) => name)
  }
  const bucket = { kind: 's3', bucket: 'tables', prefix: 'spark/' } as const
  const first = await bucketStage(files, bucket, systemClock).place(soon())
  expect(first.url).toMatch(/^s3a:\/\/tables\/spark\/run-\d{13}-[0-9a-f-]{36}$/)
  await first.put('parts/part-000000.parquet', await makePart(), soon())
  const own = first.url.slice('s3a://tables/spark/'.length)
  expect(await names()).toEqual([`${own}/parts/part-000000.parquet`])
  const second = await bucketStage(files, bucket, daysLater(0.5)).place(soon())
  await second.put('parts/a', await makePart(), soon())
  await second.drop()
  expect(await names()).toHaveLength(1)
  await bucketStage(files, bucket, daysLater(1.2)).place(soon())
  expect(await names()).toEqual([])
})
