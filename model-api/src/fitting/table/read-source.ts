import { type BlobRef, Damaged, decodeTableSource, type VersionRecord } from '@almanac/shared'
import type { Recipe } from '@almanac/tables/recipe'

/** A table or its recipe, or what is asked of it, that is to be mended. */
export type TableRefused = {
  readonly kind: 'refused'
  readonly reason: string
  readonly detail: string
}

/** Where the table of a version is, and what is to be done with it. */
export type TableSourceRead = {
  readonly kind: 'read'
  readonly table: NonNullable<VersionRecord['table']>
  readonly file: string
  readonly recipe: Recipe
}

/** Rejects with `Damaged` where the version says nothing that can be read. */
export async function readSource(
  { table }: VersionRecord,
  read: (ref: BlobRef) => Promise<Uint8Array>,
): Promise<TableSourceRead | TableRefused> {
  if (table === undefined) throw new Damaged('the version does not name its table')
  const source = decodeTableSource(await read({ kind: 'dataset', id: table.source }))
  if (!source.ok) throw new Damaged(`what the table is cannot be read: ${source.fault}`)
  // Only who reads tables loads what that takes.
  const { parseRecipe } = await import('@almanac/tables/recipe')
  const recipe = parseRecipe(source.value.recipe)
  if (recipe.kind === 'refused') return refusedFor('recipe', recipe.faults)
  return { kind: 'read', table, file: source.value.file, recipe: recipe.value }
}

type Faults = readonly { readonly field: string; readonly detail: string }[]

export function refusedFor(reason: string, faults: Faults): TableRefused {
  const detail = faults.map((fault) => `${fault.field}: ${fault.detail}`).join(' ')
  return { kind: 'refused', reason, detail }
}
