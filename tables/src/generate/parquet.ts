import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { columns } from './csv.ts'
import type { DaySales, SalesWorld } from './sales.ts'

/**
 * The table as Parquet, in pieces: the columns of the CSV, with the types that they have. Nothing
 * is kept but a row group, and of those that were written some hundred bytes each.
 */
export function* parquetOf(world: SalesWorld): Generator<Uint8Array, void, undefined> {
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({ writer: bytes, schema: [...schema], createdBy: 'almanac' })
  const taken = function* () {
    if (bytes.index === 0) return
    yield bytes.getBytes().slice()
    bytes.index = 0
  }
  for (const group of groupsOf(world)) {
    const columnData = columns.map((name) => ({ name, data: group[name] }))
    writer.write({ columnData, rowGroupSize: group.date.length })
    yield* taken()
  }
  writer.finish()
  yield* taken()
}

type Group = { readonly [name in (typeof columns)[number]]: Cell[] }
type Cell = number | string | boolean | Date

/** Enough that a column compresses well, few enough that a group is some megabytes. */
const groupRows = 100_000

const schema = [
  { name: 'sales', num_children: columns.length },
  ...columns.map((name) => ({ name, repetition_type: 'REQUIRED' as const, ...typeOf(name) })),
] as const

function typeOf(name: (typeof columns)[number]) {
  switch (name) {
    case 'product_name':
    case 'store_name':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const
    case 'product_price':
      return { type: 'DOUBLE' } as const
    case 'date':
      return { type: 'INT32', converted_type: 'DATE' } as const
    case 'promotion':
    case 'stock_out':
      return { type: 'BOOLEAN' } as const
    default:
      return { type: 'INT32' } as const
  }
}

function* groupsOf(world: SalesWorld): Generator<Group, void, undefined> {
  let group = emptyGroup()
  for (const sales of world.days()) {
    for (let i = 0; i < sales.rows; i++) {
      append(group, world, sales, i)
      if (group.date.length < groupRows) continue
      yield group
      group = emptyGroup()
    }
  }
  if (group.date.length > 0) yield group
}

function append(group: Group, { products, stores }: SalesWorld, sales: DaySales, i: number): void {
  const product = products[sales.product[i]!]!
  const store = stores[sales.store[i]!]!
  group.product_id.push(product.id)
  group.product_name.push(product.name)
  group.product_price.push(sales.priceCents[i]! / 100)
  group.store_id.push(store.id)
  group.store_name.push(store.name)
  group.quantity.push(sales.quantity[i]!)
  group.date.push(new Date(sales.day * 86_400_000))
  group.promotion.push(sales.promotion[i] === 1)
  group.stock_out.push(sales.stockOut[i] === 1)
}

function emptyGroup(): Group {
  return Object.fromEntries(columns.map((name) => [name, []])) as unknown as Group
}
