import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { csvOf } from '../tables/src/generate/csv.ts'
import { makeSalesWorld } from '../tables/src/generate/sales.ts'
import { parseRecipe } from '../tables/src/recipe/parse.ts'
import type { Recipe } from '../tables/src/recipe/recipe.ts'

export type SalesFile = {
  readonly rows: number
  /** The line in the middle with a quote that is never closed: the only one to be rejected. */
  readonly bad: number
}

const stores = 20

/** Writes a CSV of about so many bytes; each day has a row for each product in each store. */
export async function writeSales(
  file: string,
  wanted: { readonly bytes: number; readonly products: number },
): Promise<SalesFile> {
  const { products } = wanted
  const world = makeSalesWorld({ stores, products, days: 36_500, firstDay: 7_305, seed: 1 })
  const out = createWriteStream(file)
  let bytes = 0
  let rows = -1
  let bad = 0
  for (const piece of csvOf(world)) {
    if (bytes > wanted.bytes) break
    for (const byte of piece) if (byte === 10) rows += 1
    bytes += piece.length
    if (!out.write(piece)) await once(out, 'drain')
    if (bad > 0 || bytes < wanted.bytes / 2) continue
    out.write('1,"never closed,1.00,1,Store,5,2024-01-01,0,0\n')
    bad = rows + 2
    rows += 1
  }
  out.end()
  await once(out, 'close')
  return { rows, bad }
}

/** What series are made of that file by. */
export function salesRecipe(): Recipe {
  const parsed = parseRecipe({
    source: { format: 'csv', multiline: true },
    time: { column: 'date' },
    target: 'quantity',
    keys: ['store_id', 'product_id'],
    frequency: 'daily',
    stockOuts: { column: 'stock_out' },
  })
  if (parsed.kind === 'refused') throw new Error(JSON.stringify(parsed.faults))
  return parsed.value
}
