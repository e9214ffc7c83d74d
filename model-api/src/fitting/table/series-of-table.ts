import type { BlobRef, VersionRecord } from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import type { Patience } from '../../base/patience.ts'
import { readSource, type TableRefused } from './read-source.ts'
import type { TableReader } from './reader.ts'

/** What is needed of a claimed job to read the table of its version. */
export type TableParts = {
  readonly reader: TableReader
  readonly read: (ref: BlobRef) => Promise<Uint8Array>
  readonly store: (content: Uint8Array) => Promise<string>
  readonly onProgress: (fraction: number) => void
  /** While the files, or Spark, are away. */
  readonly patience: Patience
  /** Bounds one try, but not the waiting between two. */
  readonly within: <T>(work: () => Promise<T>) => Promise<T>
  readonly signal: AbortSignal
}

export type MadeSeries =
  | ({ readonly kind: 'made'; readonly shards: number; readonly series: number } & Pick<
      VersionRecord,
      'dataset' | 'table' | 'metrics'
    >)
  | TableRefused
  | { readonly kind: 'crashed'; readonly detail: string }

/** The series of the table that a version names. Rejects as `prepareTable` does, or `Damaged`. */
export async function seriesOfTable(
  context: NodeContext,
  version: VersionRecord,
  { reader, read, ...parts }: TableParts,
): Promise<MadeSeries> {
  const source = await readSource(version, read)
  if (source.kind === 'refused') return source
  const { table, file, recipe } = source
  const made = await reader.prepare(context, { file, recipe, ...parts })
  if (made.kind !== 'prepared') return made
  const { index, report, rejects, shards, summary } = made
  const { rows, rejected, dropped, series, observations, missing, filled } = summary
  return {
    ...{ kind: 'made', shards, series, dataset: { blob: index, observations } },
    table: { ...table, report, rejects },
    metrics: { ...version.metrics, rows, rejected, dropped, observations, missing, filled },
  }
}
