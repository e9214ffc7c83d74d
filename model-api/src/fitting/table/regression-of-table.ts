import type { VersionRecord } from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { readSource, refusedFor, type TableRefused } from './read-source.ts'
import type { TableParts } from './series-of-table.ts'

/** A model, and what became of the rows that it was fitted on. */
export type MadeRegression =
  | ({ readonly kind: 'made'; readonly model: Uint8Array } & Pick<
      VersionRecord,
      'dataset' | 'table' | 'metrics'
    >)
  | TableRefused
  | { readonly kind: 'crashed'; readonly detail: string }

/** The regression that a version wants, of its table. Rejects as `seriesOfTable` does. */
export async function regressionOfTable(
  context: NodeContext,
  version: VersionRecord,
  { reader, read, ...parts }: TableParts,
): Promise<MadeRegression> {
  const source = await readSource(version, read)
  if (source.kind === 'refused') return source
  const { table, file, recipe } = source
  const { parseRegression } = await import('@almanac/tables/regress')
  const spec = parseRegression(version.spec, recipe)
  if (spec.kind === 'refused') return refusedFor('spec', spec.faults)
  const work = { file, recipe, ...parts }
  const made = await reader.fit(context, work, spec.value)
  if (made.kind !== 'fitted') return made
  const { model, summary, fitted, report, rejects } = made
  const { rows, rejected, dropped, observations } = summary
  const { rows: fittedRows, unusable, categories, errorOfFit } = fitted
  return {
    ...{ kind: 'made', model, dataset: { blob: version.dataset.blob, observations } },
    table: { ...table, report, rejects },
    metrics: { rows, rejected, dropped, fittedRows, unusable, categories, errorOfFit },
  }
}
