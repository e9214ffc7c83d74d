import { Damaged, decodeTableSource, type VersionRecord } from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { untilAvailable } from '../../base/patience.ts'
import type { TableParts } from './series-of-table.ts'

/** A model, and what became of the rows that it was fitted on. */
export type MadeRegression =
  | ({ readonly kind: 'made'; readonly model: Uint8Array } & Pick<
      VersionRecord,
      'dataset' | 'table' | 'metrics'
    >)
  | { readonly kind: 'refused'; readonly reason: string; readonly detail: string }
  | { readonly kind: 'crashed'; readonly detail: string }

/** The regression that a version wants, of its table. Rejects as `seriesOfTable` does. */
export async function regressionOfTable(
  context: NodeContext,
  version: VersionRecord,
  { read, store, onProgress, patience, signal }: TableParts,
): Promise<MadeRegression> {
  const { table } = version
  if (table === undefined) throw new Damaged('the version does not name its table')
  const source = decodeTableSource(await read({ kind: 'dataset', id: table.source }))
  if (!source.ok) throw new Damaged(`what the table is cannot be read: ${source.fault}`)
  const { parseRecipe } = await import('@almanac/tables/recipe')
  const { parseRegression } = await import('@almanac/tables/regress')
  const { fitTable } = await import('./prepare.ts')
  const recipe = parseRecipe(source.value.recipe)
  if (recipe.kind === 'refused') return refused('recipe', recipe.faults)
  const spec = parseRegression(version.spec, recipe.value)
  if (spec.kind === 'refused') return refused('spec', spec.faults)
  const work = { file: source.value.file, recipe: recipe.value, store, onProgress, signal }
  const made = await untilAvailable(() => fitTable(context, work, spec.value), patience)
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

type Faults = readonly { readonly field: string; readonly detail: string }[]

function refused(reason: string, faults: Faults): MadeRegression {
  const detail = faults.map((fault) => `${fault.field}: ${fault.detail}`).join(' ')
  return { kind: 'refused', reason, detail }
}
