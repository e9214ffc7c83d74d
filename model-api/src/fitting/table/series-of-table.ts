import { type BlobRef, Damaged, decodeTableSource, type VersionRecord } from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { type Patience, untilAvailable } from '../../base/patience.ts'

/** What is needed of a claimed job to read the table of its version. */
export type TableParts = {
  readonly read: (ref: BlobRef) => Promise<Uint8Array>
  readonly store: (content: Uint8Array) => Promise<string>
  readonly onProgress: (fraction: number) => void
  /** While the files are away. */
  readonly patience: Patience
  readonly signal: AbortSignal
}

export type MadeSeries =
  | ({ readonly kind: 'made'; readonly shards: number; readonly series: number } & Pick<
      VersionRecord,
      'dataset' | 'table' | 'metrics'
    >)
  | { readonly kind: 'refused'; readonly reason: string; readonly detail: string }
  | { readonly kind: 'crashed'; readonly detail: string }

/** The series of the table that a version names. Rejects as `prepareTable` does, or `Damaged`. */
export async function seriesOfTable(
  context: NodeContext,
  version: VersionRecord,
  { read, store, onProgress, patience, signal }: TableParts,
): Promise<MadeSeries> {
  const { table } = version
  if (table === undefined) throw new Damaged('the version does not name its table')
  const source = decodeTableSource(await read({ kind: 'dataset', id: table.source }))
  if (!source.ok) throw new Damaged(`what the table is cannot be read: ${source.fault}`)
  // Only who reads tables loads what that takes.
  const { parseRecipe } = await import('@almanac/tables')
  const { prepareTable } = await import('./prepare.ts')
  const recipe = parseRecipe(source.value.recipe)
  if (recipe.kind === 'refused') {
    const detail = recipe.faults.map((fault) => `${fault.field}: ${fault.detail}`).join(' ')
    return { kind: 'refused', reason: 'recipe', detail }
  }
  const work = { file: source.value.file, recipe: recipe.value, store, onProgress, signal }
  const made = await untilAvailable(() => prepareTable(context, work), patience)
  if (made.kind !== 'prepared') return made
  const { index, report, rejects, shards, summary } = made
  const { rows, rejected, dropped, series, observations, missing, filled } = summary
  return {
    ...{ kind: 'made', shards, series, dataset: { blob: index, observations } },
    table: { ...table, report, rejects },
    metrics: { ...version.metrics, rows, rejected, dropped, observations, missing, filled },
  }
}
