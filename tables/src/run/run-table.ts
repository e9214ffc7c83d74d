import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fault } from '../fault.ts'
import type { TableLook } from '../infer/look.ts'
import { limits } from '../limits.ts'
import type { Recipe } from '../recipe/recipe.ts'
import type { Source } from '../recipe/schema.ts'
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
  /** Ends the process; the run then throws the signal's reason. */
  readonly signal: AbortSignal
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

export type LookResult =
  | { readonly kind: 'looked'; readonly look: TableLook }
  | Exclude<TableResult, { readonly kind: 'done' }>

/**
 * Makes series of a table, in a process of its own that may die without harm to this one. Throws
 * what the consumer throws, and the signal's reason.
 */
export async function runTable(run: TableRun, consumer: TableConsumer): Promise<TableResult> {
  run.signal.throwIfAborted()
  const { file, recipe, rejectsFile, cleanFile = null, memoryMb, threads, signal } = run
  const { cleanFor = 'people' } = run
  const folder = await mkdtemp(join(run.scratch, 'table-'))
  try {
    const shardSeries = run.shardSeries ?? limits.shardSeries
    const machine = { folder, memoryMb, threads, shardSeries }
    const job: TableJob = { file, recipe, rejectsFile, cleanFile, cleanFor, ...machine }
    const hear = async (message: Telling, child: ChildProcess) => {
      if (message.kind === 'progress') consumer.progress?.(message.progress)
      if (message.kind !== 'shard') return
      await consumer.shard(await shardIn(message))
      if (child.connected) child.send({ kind: 'taken' } satisfies ToChild)
    }
    const answer = await askChild({ kind: 'run', job }, signal, hear)
    if (answer.kind === 'looked' || answer.kind === 'regressed')
      throw new Error('a run was answered with something else')
    return answer
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
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
  if (answer.kind === 'done' || answer.kind === 'regressed')
    throw new Error('a look was answered with something else')
  return answer
}

async function shardIn({ file, firstKey, series, observations }: ShardMessage) {
  const bytes = await readFile(file)
  await rm(file)
  return { firstKey, series, observations, bytes }
}
