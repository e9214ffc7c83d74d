import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@almanac/shared'
import { csvOf, makeSalesWorld, parseRecipe, runTable, type SparkRun } from '@almanac/tables'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Spark, startSpark } from '../../../deploy/local/spark.ts'
import { type ObjectStore, startObjectStore } from '../../../deploy/local/versitygw.ts'
import { openS3Files } from '../../../shared/src/files/s3/open.ts'
import { bucketStage } from '../../src/fitting/table/spark-place.ts'

let folder: string
let store: ObjectStore
let spark: Spark

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-stage-'))
  const dataDir = join(folder, 'store')
  store = await startObjectStore({ dataDir, buckets: ['stage'] })
  spark = await startSpark({ dataDir: join(folder, 'spark'), buckets: store })
})
afterAll(async () => {
  await spark?.stop()
  await store?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** A run that leaves what Spark is to see in a bucket of the store. */
async function onBuckets<T>(bucket: string, work: (spark: SparkRun) => Promise<T>): Promise<T> {
  const { endpoint, keys: credentials } = store
  const at = { bucket, prefix: 'tables/' }
  const files = openS3Files({ ...at, endpoint, credentials, clock: systemClock })
  const { place } = bucketStage(files, { kind: 's3', ...at }, systemClock)
  try {
    return await work({ address: spark.address, overBytes: 0, place })
  } finally {
    await files.close()
  }
}

/** Whatever is left in a bucket. */
const left = () => readdir(join(folder, 'store', 'objects', 'stage'), { recursive: true })

async function made(on: { readonly spark?: SparkRun }) {
  const own = await mkdtemp(join(folder, 'run-'))
  const file = join(own, 'sales.csv')
  const world = makeSalesWorld({ stores: 3, products: 10, days: 300, firstDay: 19_358, seed: 2 })
  await writeFile(file, Buffer.concat([...csvOf(world), Buffer.from('1,broken\n')]))
  const recipe = parseRecipe({
    ...{ source: { format: 'csv' }, time: { column: 'date' }, target: 'quantity' },
    ...{ keys: ['store_id', 'product_id'], frequency: 'weekly' },
  })
  if (recipe.kind === 'refused') throw new Error(JSON.stringify(recipe.faults))
  const rejectsFile = join(own, 'rejects.csv')
  const shards: Uint8Array[] = []
  const signal = AbortSignal.timeout(280_000)
  const machine = { scratch: own, memoryMb: 768, threads: 2, shardSeries: 10, signal }
  const result = await runTable(
    { file, recipe: recipe.value, rejectsFile, ...machine, ...on },
    {
      shard: async ({ bytes }) => {
        shards.push(bytes)
      },
    },
  )
  return { result, shards, rejects: await readFile(rejectsFile, 'utf8') }
}

test('a table that Spark reads from a bucket, and keeps in it, is what DuckDB makes of it', async () => {
  const ours = await made({})
  let seen: readonly string[] = []
  const theirs = await onBuckets('stage', (given) => {
    const place: SparkRun['place'] = async (signal) => {
      const one = await given.place(signal)
      const drop = async () => {
        seen = await left()
        await one.drop()
      }
      return { ...one, drop }
    }
    return made({ spark: { ...given, place } })
  })
  expect(ours.result).toMatchObject({ kind: 'done', summary: { series: 30, rejected: 1 } })
  expect(theirs).toEqual(ours)
  const inPlace = seen.map((name) => name.replace(/^tables\/run-[^/]+\//, ''))
  expect(inPlace).toContain('parts/part-000000.parquet')
  for (const kept of ['accepted', 'series', 'observations'])
    expect(inPlace.some((name) => RegExp(`^${kept}/.*\\.parquet$`).test(name))).toBe(true)
  expect((await left()).filter((name) => name.includes('.parquet'))).toEqual([])
}, 300_000)
