import { parseArgs } from 'node:util'

/** What is to be made up. */
export type SalesOptions = {
  readonly stores: number
  readonly products: number
  readonly days: number
  /** Of the first day, in days since 1970-01-01. */
  readonly firstDay: number
  readonly seed: number
}

export type GenerateOptions = SalesOptions & {
  readonly format: 'csv' | 'parquet'
  /** Null: standard output. */
  readonly out: string | null
  readonly gzip: boolean
}

/** 2 bytes of a random number's path are the store, 2 the product. */
const bounds = { stores: 65_535, products: 65_535, years: 100, seed: 2 ** 32 - 1 }
/** What is known of each product in each store has to fit in memory: 8 bytes each. */
const pairsMax = 20_000_000

export const usage = `Usage: npm run generate -- [options]
  Makes up the daily sales of every product in every store, the same ones for the same seed.

  --stores N      1 to ${limitOf('stores')} (10)
  --products N    1 to ${limitOf('products')} (100)
  --years N       above 0, to ${limitOf('years')}; 0.5 is half a year (3)
  --start DATE    the first day, as in 2024-01-01 (2023-01-01)
  --seed N        a whole number from 0 (1)
  --out FILE      *.csv, *.csv.gz or *.parquet; without it CSV goes to standard output`

function limitOf(name: keyof typeof bounds): string {
  return bounds[name].toLocaleString('en')
}

/** The options of a command line, or all that is wrong with it. Pure. */
export function readOptions(
  args: readonly string[],
): { readonly options: GenerateOptions } | { readonly faults: readonly string[] } {
  let values: Partial<Record<keyof typeof flags, string>>
  try {
    values = parseArgs({ args: [...args], options: flags }).values
  } catch (error) {
    return { faults: [(error as Error).message] }
  }
  const faults: string[] = []
  const numberOf = (name: 'stores' | 'products' | 'years' | 'seed', given: string) => {
    const isWhole = name !== 'years'
    const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN
    const least = name === 'seed' || name === 'years' ? 0 : 1
    const isFit = isWhole ? Number.isInteger(value) && value >= least : value > 0
    if (isFit && value <= bounds[name]) return value
    const what = isWhole ? `a whole number from ${least}` : 'a number above 0'
    faults.push(`--${name} is ${JSON.stringify(given)}; it must be ${what} to ${limitOf(name)}.`)
    return least
  }
  const { start = '2023-01-01', out = null } = values
  const stores = numberOf('stores', values.stores ?? '10')
  const products = numberOf('products', values.products ?? '100')
  const years = numberOf('years', values.years ?? '3')
  const seed = numberOf('seed', values.seed ?? '1')
  const firstDay = dayOf(start)
  if (firstDay === undefined)
    faults.push(`--start is ${JSON.stringify(start)}; it must be a date like 2024-01-01.`)
  if (stores * products > pairsMax)
    faults.push(`--stores times --products is more than ${pairsMax.toLocaleString('en')}.`)
  const shape = out === null ? 'csv' : shapeOf(out)
  if (shape === undefined)
    faults.push(`--out is ${JSON.stringify(out)}; it must end in .csv, .csv.gz or .parquet.`)
  if (faults.length > 0 || firstDay === undefined || shape === undefined) return { faults }
  const days = Math.max(1, Math.round(years * 365.25))
  const [format, gzip] = shape === 'csv.gz' ? (['csv', true] as const) : ([shape, false] as const)
  return { options: { stores, products, days, firstDay, seed, format, out, gzip } }
}

/** `2024-01-01`, as in ISO 8601. */
export function dateText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10)
}

const dayMs = 86_400_000

const flags = {
  stores: { type: 'string' },
  products: { type: 'string' },
  years: { type: 'string' },
  start: { type: 'string' },
  seed: { type: 'string' },
  out: { type: 'string' },
} as const

function dayOf(date: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return undefined
  const day = Date.parse(date) / dayMs
  return Number.isInteger(day) && dateText(day) === date ? day : undefined
}

function shapeOf(file: string): 'csv' | 'csv.gz' | 'parquet' | undefined {
  return (['csv', 'csv.gz', 'parquet'] as const).find((end) => file.endsWith(`.${end}`))
}
