import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Files, openFolderFiles } from '@almanac/shared'
import { onTestFinished } from 'vitest'

/** A place for files, gone after the test. */
export async function openFiles(): Promise<Files> {
  const path = await mkdtemp(join(tmpdir(), 'almanac-files-'))
  const files = await openFolderFiles({ path })
  onTestFinished(async () => {
    await files.close()
    await rm(path, { recursive: true })
  })
  return files
}

/**
 * The sales of three stores with four products on the days of two years: each day ten for the
 * number of the store, one for that of the product, and one for that of the month.
 */
export function salesCsv(extra: readonly string[] = []): string {
  const rows = ['product_id,product_name,product_price,store_id,store_name,quantity,date']
  const start = Date.parse('2022-01-01')
  for (let day = 0; day < 730; day++)
    for (const store of [1, 2, 3])
      for (const product of [1, 2, 3, 4]) {
        const date = new Date(start + day * 86_400_000).toISOString().slice(0, 10)
        const quantity = 10 * store + product + Number(date.slice(5, 7))
        rows.push(`${product},"Tea, ${product}",2.5,${store},Shop ${store},${quantity},${date}`)
      }
  return `${[...rows, ...extra].join('\n')}\n`
}

/** What `salesCsv` has in a month of `days` days. */
export const monthOf = (store: number, product: number, month: number, days: number) =>
  days * (10 * store + product + month)

/** A text as a place for files takes it. */
export async function* contentOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
