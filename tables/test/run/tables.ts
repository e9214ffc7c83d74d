import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { decodeShard, seriesAt } from '@almanac/engine'
import { inject } from 'vitest'
import { parseRecipe } from '../../src/recipe/parse.ts'
import { type Database, duckdbIntake, openDatabase } from '../../src/run/database.ts'
import type { Engine, Intake } from '../../src/run/engine.ts'
import { makeLoad } from '../../src/run/load.ts'
import type { TableSummary } from '../../src/run/protocol.ts'
import { workOn } from '../../src/run/work.ts'
import { sparkEngine } from '../../src/spark/engine.ts'
import { sparkIntake } from '../../src/spark/intake.ts'
import { openSparkSession } from '../../src/spark/session.ts'

/** A folder for the files of a suite. */
export async function makeFolder() {
  const path = await mkdtemp(join(tmpdir(), 'almanac-tables-'))
  return { path, drop: () => rm(path, { recursive: true }) }
}

export const daily = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'sold',
  keys: ['store'],
  frequency: 'daily',
} as const

export type Ran = {
  readonly summary: TableSummary
  /** Values by key, null where one is missing; and when each begins. */
  readonly series: Readonly<Record<string, readonly (number | null)[]>>
  readonly starts: Readonly<Record<string, string>>
  /** Time zones, of those that are not of UTC. */
  readonly zones: Readonly<Record<string, string>>
  readonly shards: readonly { readonly firstKey: string; readonly series: number }[]
  /** The rejects without their header. */
  readonly rejects: readonly string[]
  /** The table after all steps. */
  readonly clean: string
}

export type Table = string | Buffer | { readonly file: string }

/** A folder for one run, with the table in it, and a checked recipe. */
export async function prepared(folder: string, recipe: object, table: Table) {
  const parsed = parseRecipe({ ...daily, ...recipe })
  if (parsed.kind === 'refused') throw new Error(JSON.stringify(parsed.faults))
  const own = await mkdtemp(join(folder, 'run-'))
  const isText = typeof table === 'string' || Buffer.isBuffer(table)
  const file = isText ? join(own, 'table') : table.file
  if (isText) await writeFile(file, table)
  return { own, file, recipe: parsed.value, rejectsFile: join(own, 'rejects.csv') }
}

/** Takes shards apart as they come. */
export function collector() {
  const series: Record<string, (number | null)[]> = {}
  const starts: Record<string, string> = {}
  const zones: Record<string, string> = {}
  const shards: { firstKey: string; series: number }[] = []
  const take = (firstKey: string, bytes: Uint8Array) => {
    const shard = decodeShard(bytes)
    if (shard.kind === 'refused') throw new Error(shard.reason.detail)
    shards.push({ firstKey, series: shard.value.count })
    const begins = shard.value.columns.get('start') as readonly string[]
    for (let place = 0; place < shard.value.count; place++) {
      const { key, y } = seriesAt(shard.value, place)
      series[key!] = [...y].map((value) => (Number.isNaN(value) ? null : value))
      starts[key!] = begins[place]!
      const zone = shard.value.columns.get('timezone')?.[place]
      if (typeof zone === 'string') zones[key!] = zone
    }
  }
  return { series, starts, zones, shards, take }
}

/**
 * What the process of tables does with a recipe and a table, in this one: on Spark, where the suite
 * was given one.
 */
export async function ran(
  folder: string,
  given: object,
  table: Table,
  shardSeries = 2_000,
): Promise<Ran> {
  const { own, file, recipe, rejectsFile } = await prepared(folder, given, table)
  const { take, ...found } = collector()
  const machine = { memoryMb: 300, threads: 2 }
  const db = await openDatabase({ ...machine, file, folder: own })
  const { engine, intake, close } = await opened(db, own)
  const cleanFile = join(own, 'clean.csv')
  const written = { file, folder: own, rejectsFile, cleanFile }
  const job = { ...written, recipe, shardSeries, spark: null, ...machine }
  const summary = await workOn(job, engine, makeLoad(db, intake), {
    progress: () => {},
    shard: async ({ firstKey, file: shardFile }) => take(firstKey, await readFile(shardFile)),
  }).finally(close)
  const rejects = (await readFile(rejectsFile, 'utf8')).trimEnd().split('\n').slice(1)
  return { ...found, summary, rejects, clean: await readFile(cleanFile, 'utf8') }
}

type Opened = {
  readonly engine: Engine
  readonly intake: Intake
  readonly close: () => Promise<void>
}

async function opened(db: Database, folder: string): Promise<Opened> {
  const address = inject('spark')
  if (address === undefined) return { engine: db, intake: duckdbIntake(db), close: async () => {} }
  const session = await openSparkSession({ address }, AbortSignal.timeout(120_000))
  const stage = join(folder, 'stage')
  await mkdir(join(stage, 'parts'), { recursive: true })
  const url = pathToFileURL(stage).href
  const engine = await sparkEngine(session, url)
  const put = (file: string) => rename(file, join(stage, 'parts', basename(file)))
  return { engine, intake: sparkIntake(db, engine, { folder, url, put }), close: session.close }
}
