import { normalAt, normalQuantile, seedOfKey, uniformAt } from '@almanac/engine'
import { type Product, productOf, type Store, storeOf } from './catalogue.ts'
import type { SalesOptions } from './options.ts'

/** What is sold where: rows stand for one of each on one day. */
export type SalesWorld = {
  readonly products: readonly Product[]
  readonly stores: readonly Store[]
  readonly days: () => Generator<DaySales, void, undefined>
}

/** The sales of one day: one row of each product that is on sale, in each store. */
export type DaySales = {
  /** In days since 1970-01-01. */
  readonly day: number
  readonly rows: number
  /** Positions in `stores` and `products`, of the first `rows` rows; as are all that follow. */
  readonly store: Int32Array
  readonly product: Int32Array
  readonly priceCents: Int32Array
  readonly quantity: Int32Array
  readonly promotion: Uint8Array
  /** 1 where it was sold out, so that a quantity of 0 says nothing about the demand. */
  readonly stockOut: Uint8Array
}

/**
 * Sales with trend, week, year, promotions, stock-outs, new and intermittent products. Each number
 * is a function of the seed, the store, the product and the day, so that a table of more of them
 * has all of a smaller one's, and memory grows with stores × products, not with days.
 *
 * The expected quantity is demand × growth × year × week × store × promotion × the store's luck on
 * that day; what is sold is a Poisson number whose mean varies by a log-normal factor.
 */
export function makeSalesWorld(options: SalesOptions): SalesWorld {
  const { seed, days, firstDay } = options
  const products = range(options.products).map((i) => productOf(seed, i + 1, days))
  const stores = range(options.stores).map((i) => storeOf(seed, i + 1))
  return { products, stores, days: () => salesOf({ seed, days, firstDay, products, stores }) }
}

type Parts = Pick<SalesOptions, 'seed' | 'days' | 'firstDay'> &
  Pick<SalesWorld, 'products' | 'stores'>

function* salesOf({ seed, days, firstDay, products, stores }: Parts): Generator<DaySales, void> {
  const seeds = {
    affinity: seedOfKey(seed, 'affinity'),
    luck: seedOfKey(seed, 'luck'),
    noise: seedOfKey(seed, 'noise'),
  }
  const { length: count } = products
  const pairs = count * stores.length
  const affinity = new Float32Array(pairs)
  for (let s = 0, at = 0; s < stores.length; s++)
    for (let p = 0; p < count; p++, at++)
      affinity[at] = Math.exp(0.3 * normalAt(seeds.affinity, pathOf(s, p), 0))
  const outs = makeStockOuts(seedOfKey(seed, 'stock-out'), stores.length, count)
  const promotions = makePromotions(seedOfKey(seed, 'promotion'), count)

  const expected = new Float64Array(count)
  const prices = new Int32Array(count)

  for (let n = 0; n < days; n++) {
    const day = firstDay + n
    promotions.begin(n)
    outs.begin(n)
    for (const [p, one] of products.entries()) {
      const isPromoted = promotions.has(p, n)
      expected[p] = demandOn(one, n, day) * (isPromoted ? one.lift : 1)
      prices[p] = priceOn(one, n, isPromoted)
    }
    let rows = 0
    const store = new Int32Array(pairs)
    const product = new Int32Array(pairs)
    const priceCents = new Int32Array(pairs)
    const quantity = new Int32Array(pairs)
    const promotion = new Uint8Array(pairs)
    const stockOut = new Uint8Array(pairs)
    for (const [s, { size, week }] of stores.entries()) {
      const luck = Math.exp(0.1 * normalAt(seeds.luck, s, n))
      const factor = size * luck * week[weekdayOf(day)]!
      for (let p = 0; p < count; p++) {
        if (products[p]!.launchDay > n) continue
        const at = s * count + p
        const isOut = outs.has(at, n)
        store[rows] = s
        product[rows] = p
        priceCents[rows] = prices[p]!
        promotion[rows] = promotions.has(p, n) ? 1 : 0
        stockOut[rows] = isOut ? 1 : 0
        const path = pathOf(s, p)
        quantity[rows] = isOut
          ? 0
          : soldOf(
              expected[p]! * factor * affinity[at]!,
              uniformAt(seeds.noise, path, 2 * n),
              uniformAt(seeds.noise, path, 2 * n + 1),
            )
        rows += 1
      }
    }
    yield { day, rows, store, product, priceCents, quantity, promotion, stockOut }
  }
}

/** A Poisson number of a mean that varies itself, from two uniform ones. */
function soldOf(expected: number, first: number, second: number): number {
  const spread = 0.25
  const mean = expected * Math.exp(spread * normalQuantile(first) - spread ** 2 / 2)
  // The normal one is close enough by then, and its cost does not grow.
  if (mean > 40) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normalQuantile(second)))
  let term = Math.exp(-mean)
  let sum = term
  let count = 0
  while (second > sum && count < 200) {
    count += 1
    term *= mean / count
    sum += term
  }
  return count
}

function demandOn({ demand, growth, swing, peakDay }: Product, n: number, day: number): number {
  const angle = (2 * Math.PI * (day - peakDay)) / 365.25
  return demand * Math.exp((growth * n) / 365.25) * (1 + swing * Math.cos(angle))
}

/** 2% more each year, a fifth less in a promotion. */
function priceOn({ priceCents }: Product, n: number, isPromoted: boolean): number {
  const full = priceCents * (1 + 0.02 * Math.floor(n / 365))
  return Math.round(full * (isPromoted ? 0.8 : 1))
}

/** Each product has a week of promotion in one of two stretches of ten weeks, in all stores. */
function makePromotions(seed: number, count: number) {
  const stretchDays = 70
  const startsAt = new Int32Array(count)
  return {
    begin: (n: number) => {
      if (n % stretchDays !== 0) return
      for (let p = 0; p < count; p++) {
        const isOn = uniformAt(seed, p, 2 * n) < 0.5
        const offset = Math.floor(uniformAt(seed, p, 2 * n + 1) * (stretchDays - promotionDays))
        startsAt[p] = isOn ? n + offset : never
      }
    },
    has: (p: number, n: number) => n >= startsAt[p]! && n < startsAt[p]! + promotionDays,
  }
}

/** In one of eight stretches of eight weeks a store is out of a product, for up to ten days. */
function makeStockOuts(seed: number, stores: number, products: number) {
  const stretchDays = 56
  const daysMax = 10
  const from = new Uint8Array(stores * products)
  const until = new Uint8Array(stores * products)
  return {
    begin: (n: number) => {
      if (n % stretchDays !== 0) return
      for (let s = 0, at = 0; s < stores; s++)
        for (let p = 0; p < products; p++, at++) {
          const chance = uniformAt(seed, pathOf(s, p), n) * 8
          const [isOut, place] = [chance < 1, chance % 1]
          const days = isOut ? 1 + Math.floor(uniformAt(seed, pathOf(s, p), n + 1) * daysMax) : 0
          from[at] = Math.floor(place * (stretchDays - daysMax))
          until[at] = from[at]! + days
        }
    },
    has: (at: number, n: number) => {
      const within = n % stretchDays
      return within >= from[at]! && within < until[at]!
    },
  }
}

const promotionDays = 7
const never = -promotionDays

/** Of a random number: two bytes each, so that it does not change with their count. */
const pathOf = (store: number, product: number) => store * 65_536 + product

/** Monday is 0; the first of January 1970 was a Thursday. */
const weekdayOf = (day: number) => (((day + 3) % 7) + 7) % 7

const range = (count: number) => Array.from({ length: count }, (_, i) => i)
