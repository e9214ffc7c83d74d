import { hash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { encodeShardIndex, limits, Missing, type ShardRef, Unavailable } from '@almanac/shared'
import {
  type Recipe,
  type RegressionFitted,
  runRegression,
  runTable,
  type TableProgress,
  type TableSummary,
} from '@almanac/tables'
import type { RegressionSpec } from '@almanac/tables/regress'
import type { NodeContext } from '../../base/context.ts'
import { type Patience, untilAvailable } from '../../base/patience.ts'
import { bounds } from '../../config/bounds.ts'
import { meterTable, type TableMeter } from './meter.ts'
import { readRejects } from './rejects.ts'
import { StillAway } from './still-away.ts'

/** What is needed of a claimed job to make series of its table. */
export type TableWork = {
  readonly file: string
  readonly recipe: Recipe
  /** Stores bytes under an id of their own, which it returns; waits while the store is away. */
  readonly store: (content: Uint8Array) => Promise<string>
  readonly onProgress: (fraction: number) => void
  /** While the files, or Spark, are away. */
  readonly patience: Patience
  /** Bounds one try, but not the waiting between two. */
  readonly within: <T>(work: () => Promise<T>) => Promise<T>
  readonly signal: AbortSignal
}

/** The table or its recipe is to be mended. */
type TableRefused = { readonly kind: 'refused'; readonly reason: string; readonly detail: string }

/** The process that read it ended; another try may go better. */
type TableCrashed = { readonly kind: 'crashed'; readonly detail: string }

export type Prepared =
  | TableRefused
  | TableCrashed
  | {
      readonly kind: 'prepared'
      readonly index: string
      readonly report: string
      readonly rejects: string
      readonly shards: number
      readonly summary: TableSummary
    }

export type FittedTable =
  | TableRefused
  | TableCrashed
  | {
      readonly kind: 'fitted'
      readonly model: Uint8Array
      readonly report: string
      readonly rejects: string
      readonly summary: TableSummary
      readonly fitted: RegressionFitted
    }

/**
 * Brings the file here, has it read in a process of its own, and stores the shards of data as they
 * come. Waits while the files, or Spark, are away. Rejects with the signal's reason.
 */
export function prepareTable(context: NodeContext, work: TableWork): Promise<Prepared> {
  return withTable(context, work, (place) => make(context, work, place))
}

/** The same, but a regression is fitted to the rows. */
export function fitTable(
  context: NodeContext,
  work: TableWork,
  spec: RegressionSpec,
): Promise<FittedTable> {
  return withTable(context, work, (place) => fit(context, work, spec, place))
}

/** A table that is here, and room beside it. */
type Place = { readonly scratch: string; readonly file: string; readonly meter: TableMeter }

async function withTable<T extends { readonly kind: string }>(
  context: NodeContext,
  work: TableWork,
  use: (place: Place) => Promise<T>,
): Promise<T | TableRefused> {
  const scratch = await context.scratch.make()
  const meter = meterTable(context)
  try {
    const file = join(scratch, 'table')
    const bounded = <U>(step: () => Promise<U>) =>
      untilAvailable(() => work.within(step), work.patience)
    const known = await bounded(() => bring(context, work, file))
    const made = known ?? (await bounded(() => use({ scratch, file, meter })))
    meter.end(made.kind)
    return made
  } catch (error) {
    const isStopped = work.signal.aborted || error instanceof StillAway
    meter.end(isStopped ? 'interrupted' : 'failed')
    throw error
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function bring(
  { files }: NodeContext,
  { file, signal }: TableWork,
  path: string,
): Promise<TableRefused | undefined> {
  if (files === undefined) {
    const detail = 'This node has no files: it was started without the setting for them.'
    return { kind: 'refused', reason: 'no-files', detail }
  }
  try {
    const { content } = await files.read(file, signal)
    await pipeline(content, createWriteStream(path), { signal })
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof Missing)) throw error
    return { kind: 'refused', reason: 'no-file', detail: `There is no file ${file} any more.` }
  }
}

async function make(
  { tableMemoryMb, tableThreads, spark }: NodeContext,
  { recipe, store, onProgress, signal }: TableWork,
  { scratch, file, meter }: Place,
): Promise<Prepared> {
  const rejectsFile = join(scratch, 'rejects.csv')
  const shards: ShardRef[] = []
  const machine = { memoryMb: tableMemoryMb, threads: tableThreads, scratch }
  const result = await runTable(
    { file, recipe, rejectsFile, ...machine, ...(spark ? { spark } : {}), signal },
    {
      progress: (progress) => {
        meter.phase(progress.phase)
        onProgress(fractionOf(progress))
      },
      shard: async ({ firstKey, series, bytes }) => {
        if (shards.length >= limits.shardsMax) throw new TooManyShards()
        const sha256 = hash('sha256', bytes, 'hex')
        const sizeBytes = bytes.byteLength
        shards.push({ first: firstKey, blob: await store(bytes), sha256, sizeBytes, series })
      },
    },
  ).catch((error: unknown) => {
    if (error instanceof TooManyShards) return error.result
    throw error
  })
  // Shards that were stored are garbage: the next try stores its own.
  if (result.kind === 'away') throw new Unavailable('spark', result.detail)
  if (result.kind === 'failed') return { kind: 'crashed', detail: result.detail }
  if (result.kind === 'refused') return tableRefused(result.faults)
  const { summary } = result
  meter.rows(summary)
  return {
    kind: 'prepared',
    index: await store(encodeShardIndex({ format: 1, kind: 'data', shards })),
    ...(await storeReport(store, summary, rejectsFile)),
    shards: shards.length,
    summary,
  }
}

async function fit(
  { tableMemoryMb, tableThreads, spark }: NodeContext,
  { recipe, store, onProgress, signal }: TableWork,
  spec: RegressionSpec,
  { scratch, file, meter }: Place,
): Promise<FittedTable> {
  const rejectsFile = join(scratch, 'rejects.csv')
  const machine = { memoryMb: tableMemoryMb, threads: tableThreads, scratch }
  const result = await runRegression(
    { file, recipe, spec, rejectsFile, ...machine, ...(spark ? { spark } : {}), signal },
    {
      progress: (progress) => {
        meter.phase(progress.phase)
        onProgress(fractionOf(progress) / 2)
      },
      fitting: (fraction) => {
        meter.phase('fit')
        onProgress(0.5 + fraction / 2)
      },
    },
  )
  if (result.kind === 'away') throw new Unavailable('spark', result.detail)
  if (result.kind === 'failed') return { kind: 'crashed', detail: result.detail }
  if (result.kind === 'refused') return tableRefused(result.faults)
  const { summary, fitted, model } = result
  meter.rows(summary)
  const stored = await storeReport(store, summary, rejectsFile)
  return { kind: 'fitted', model, summary, fitted, ...stored }
}

type Faults = readonly { readonly detail: string; readonly remedy: string }[]

function tableRefused(faults: Faults): TableRefused {
  const detail = faults.map((fault) => `${fault.detail} ${fault.remedy}`).join(' ')
  return { kind: 'refused', reason: 'table', detail }
}

async function storeReport(store: TableWork['store'], summary: TableSummary, rejectsFile: string) {
  return {
    report: await store(Buffer.from(JSON.stringify(summary))),
    rejects: await store(await readRejects(rejectsFile, bounds.rejectsBytesMax)),
  }
}

class TooManyShards extends Error {
  override name = 'TooManyShards'
  readonly result = {
    kind: 'refused',
    faults: [
      {
        field: '/keys',
        detail: `The table makes more series and observations than ${limits.shardsMax} shards hold.`,
        remedy: 'Make several models of it, each of a part.',
      },
    ],
  } as const
}

/** Rows are read in about as long as they are grouped and made series. */
function fractionOf({ phase, bytesRead, bytesAll, series, seriesAll }: TableProgress): number {
  if (phase === 'read') return bytesAll === 0 ? 0 : 0.5 * (bytesRead / bytesAll)
  if (phase === 'group') return 0.5
  return seriesAll === 0 ? 0.7 : 0.7 + 0.3 * (series / seriesAll)
}
