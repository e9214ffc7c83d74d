import { hash } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runTable, type SparkRun, type TableResult } from '../../src/run/run-table.ts'
import type { SparkAt } from '../../src/spark/connect.ts'
import { prepared, type Table } from './tables.ts'

/** All that becomes of a table, as a node has it done. */
export type Side = {
  readonly result: TableResult
  /** SHA-256 of the bytes of each shard, and the first key in it. */
  readonly shards: readonly string[]
  readonly rejects: string
  readonly clean: string
  readonly ms: number
}

/** Runs a recipe on a table in a process of its own; on Spark, where its address is given. */
export async function side(
  folder: string,
  given: object,
  table: Table,
  spark: string | SparkAt | undefined,
  signal = AbortSignal.timeout(150_000),
): Promise<Side> {
  const { own, ...rest } = await prepared(folder, given, table)
  const cleanFile = join(own, 'clean.csv')
  const shards: string[] = []
  const run = {
    ...{ ...rest, cleanFile, scratch: own, memoryMb: 768, threads: 2, shardSeries: 20 },
    ...(spark === undefined ? {} : { spark: runOn(spark, own) }),
    signal,
  }
  const startedMs = performance.now()
  const result = await runTable(run, {
    shard: async ({ firstKey, bytes }) => {
      shards.push(`${firstKey} ${hash('sha256', bytes)}`)
    },
  })
  const ms = performance.now() - startedMs
  const textOf = (file: string) => readFile(file, 'utf8').catch(() => '')
  return {
    result,
    shards,
    rejects: await textOf(rest.rejectsFile),
    clean: await textOf(cleanFile),
    ms,
  }
}

/** Spark at an address, for files of any size; each run has a place in a folder that both see. */
export function runOn(at: string | SparkAt, folder: string): SparkRun {
  return {
    ...(typeof at === 'string' ? { address: at } : at),
    overBytes: 0,
    place: async () => {
      const own = await mkdtemp(join(folder, 'stage-'))
      return {
        url: pathToFileURL(own).href,
        put: async (name, file) => {
          await mkdir(dirname(join(own, name)), { recursive: true })
          await copyFile(file, join(own, name))
        },
        drop: () => rm(own, { recursive: true, force: true }),
      }
    },
  }
}
