import { dateText } from './options.ts'
import type { DaySales, SalesWorld } from './sales.ts'

/** The names of the columns, in their order. */
export const columns = [
  'product_id',
  'product_name',
  'product_price',
  'store_id',
  'store_name',
  'quantity',
  'date',
  'promotion',
  'stock_out',
] as const

/** The table as CSV (RFC 4180, lines end in LF), in pieces of some 64 KiB. */
export function* csvOf(world: SalesWorld): Generator<Buffer, void, undefined> {
  yield Buffer.from(`${columns.join(',')}\n`)
  const products = world.products.map(({ id, name }) => `${id},${quoted(name)},`)
  const stores = world.stores.map(({ id, name }) => `,${id},${quoted(name)},`)
  for (const sales of world.days()) yield* piecesOf(sales, products, stores)
}

function* piecesOf(
  sales: DaySales,
  products: readonly string[],
  stores: readonly string[],
): Generator<Buffer, void, undefined> {
  const date = dateText(sales.day)
  let text = ''
  for (let i = 0; i < sales.rows; i++) {
    const head = products[sales.product[i]!]! + priceText(sales.priceCents[i]!)
    const place = stores[sales.store[i]!]!
    const tail = `${sales.quantity[i]},${date},${sales.promotion[i]},${sales.stockOut[i]}\n`
    text += head + place + tail
    if (text.length < pieceCharacters) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

const pieceCharacters = 65_536

function priceText(cents: number): string {
  return (cents / 100).toFixed(2)
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
