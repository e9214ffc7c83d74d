import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Fault } from '../fault.ts'
import type { TableLook } from '../infer/look.ts'
import { limits } from '../limits.ts'
import type { Recipe } from '../recipe/recipe.ts'
import type { Source } from '../recipe/schema.ts'
import type { SparkAt } from '../spark/connect.ts'
import { askChild } from './ask-child.ts'
import type {
  ShardMessage,
  TableJob,
  TableProgress,
  TableSummary,
  Telling,
  ToChild,
} from './protocol.ts'

export type TableRun = {
  readonly file: string
  readonly recipe: Recipe
  readonly rejectsFile: string
  /** Where the table is written after all steps, with its features, as CSV. */
  readonly cleanFile?: string
  /** Who reads that; people, if not said. */
  readonly cleanFor?: 'people' | 'machine'
  /** Where a folder may be made for what does not fit in memory; it is gone at the end. */
  readonly scratch: string
  /** About what the process may take, from 768 on: with less large tables may be refused. */
  readonly memoryMb: number
  readonly threads: number
  readonly shardSeries?: number
  /** Who does what is done with all rows of a large file; without it this machine does. */
  readonly spark?: SparkRun
  /** Ends the process; the run then throws the signal's reason. */
  readonly signal: AbortSignal
}

export type SparkRun = SparkAt & {
  /** Larger files go there. */
  readonly overBytes: number
  /** A new place that Spark sees, too. */
  readonly place: (signal: AbortSignal) => Promise<SparkPlace>
}

export type SparkPlace = {
  /** What Spark calls it. */
  readonly url: string
  /** Puts a file there, by a name with slashes. */
  readonly put: (name: string, file: string, signal: AbortSignal) => Promise<void>
  /** Ends it with all that is in it. Not waited for in vain: what is left goes later. */
  readonly drop: () => Promise<void>
}

/** Shards come in the order of their keys, and the next one when this one was taken. */
export type TableConsumer = {
  readonly shard: (shard: DataShard) => Promise<void>
  readonly progress?: (progress: TableProgress) => void
}

export type DataShard = {
  readonly firstKey: string
  readonly series: number
  readonly observations: number
  /** As `encodeShardData` writes them. */
  readonly bytes: Uint8Array
}

/** Refused: to be mended in file or recipe. Failed: not their fault, as far as anybody can tell. */
export type TableResult =
  | { readonly kind: 'done'; readonly summary: TableSummary }
  | { readonly kind: 'refused'; readonly faults: readonly Fault[] }
  | { readonly kind: 'failed'; readonly detail: string }
  /** Spark is not there: the same may go well later. */
  | { readonly kind: 'away'; readonly detail: string }

export type LookResult =
  | { readonly kind: 'looked'; readonly look: TableLook }
  | Exclude<TableResult, { readonly kind: 'done' | 'away' }>

/**
 * Makes series of a table, in a process of its own that may die without harm to this one. Throws
 * what the consumer throws, and the signal's reason.
 */
export async function runTable(run: TableRun, consumer: TableConsumer): Promise<TableResult> {
  run.signal.throwIfAborted()
  const { file, recipe, rejectsFile, cleanFile = null, memoryMb, threads, signal } = run
  const { cleanFor = 'people' } = run
  const folder = await mkdtemp(join(run.scratch, 'table-'))
  const place = await sparkPlace(run)
  try {
    const shardSeries = run.shardSeries ?? limits.shardSeries
    const machine = { folder, memoryMb, threads, shardSeries }
    const spark = place && run.spark ? { ...whereIs(run.spark), url: place.url } : null
    const written = { file, rejectsFile, cleanFile, cleanFor }
    const job: TableJob = { ...written, recipe, ...machine, spark }
    const hear = async (message: Telling, child: ChildProcess) => {
      if (message.kind === 'progress') consumer.progress?.(message.progress)
      if (message.kind !== 'shard' && message.kind !== 'part') return
      if (message.kind === 'shard') await consumer.shard(await shardIn(message))
      else await putPart(place, message.file, signal)
      if (child.connected) child.send({ kind: 'taken' } satisfies ToChild)
    }
    const leaveMs = spark === null ? 0 : limits.sparkLeaveMs
    const answer = await askChild({ kind: 'run', job }, signal, hear, { leaveMs })
    if (answer.kind === 'looked' || answer.kind === 'regressed')
      throw new Error('a run was answered with something else')
    return answer
  } finally {
    await Promise.all([place?.drop(), rm(folder, { recursive: true, force: true })])
  }
}

/** What the process is told, in a message: no secret is an argument of it. */
const whereIs = ({ address, tls = false, token = null }: SparkAt) => ({ address, tls, token })

async function sparkPlace({ spark, file, signal }: TableRun): Promise<SparkPlace | undefined> {
  if (spark === undefined) return undefined
  const sizeBytes = await stat(file).then(
    ({ size }) => size,
    () => 0,
  )
  return sizeBytes > spark.overBytes ? await spark.place(signal) : undefined
}

async function putPart(place: SparkPlace | undefined, file: string, signal: AbortSignal) {
  await place?.put(`parts/${basename(file)}`, file, signal)
  await rm(file)
}

/**
 * What the beginning of a file says about it, found out in a process of its own; `source`: what is
 * known of how it is written. What it needs of room is beside the file. Throws the signal's reason.
 */
export async function lookAtTable(
  file: string,
  source: Source | null,
  signal: AbortSignal,
): Promise<LookResult> {
  signal.throwIfAborted()
  const answer = await askChild({ kind: 'look', file, source }, signal, async () => {})
  if (answer.kind !== 'looked' && answer.kind !== 'refused' && answer.kind !== 'failed')
    throw new Error('a look was answered with something else')
  return answer
}

async function shardIn({ file, firstKey, series, observations }: ShardMessage) {
  const bytes = await readFile(file)
  await rm(file)
  return { firstKey, series, observations, bytes }
}
