import { describe, expect, test } from 'vitest'
import type { SalesOptions } from '../../src/generate/options.ts'
import { type DaySales, makeSalesWorld } from '../../src/generate/sales.ts'

const small: SalesOptions = { stores: 4, products: 60, days: 365, firstDay: 19_358, seed: 3 }

type Row = {
  readonly n: number
  readonly store: number
  readonly product: number
  readonly quantity: number
  readonly priceCents: number
  readonly promotion: boolean
  readonly stockOut: boolean
}

function rowsOf(change: Partial<SalesOptions> = {}): Row[] {
  const options = { ...small, ...change }
  return [...makeSalesWorld(options).days()].flatMap((sales) => dayRows(sales, options.firstDay))
}

function dayRows(sales: DaySales, firstDay: number): Row[] {
  return Array.from({ length: sales.rows }, (_, i) => ({
    n: sales.day - firstDay,
    store: sales.store[i]!,
    product: sales.product[i]!,
    quantity: sales.quantity[i]!,
    priceCents: sales.priceCents[i]!,
    promotion: sales.promotion[i] === 1,
    stockOut: sales.stockOut[i] === 1,
  }))
}

const mean = (rows: readonly Row[]) =>
  rows.reduce((sum, { quantity }) => sum + quantity, 0) / rows.length

describe('made-up sales', () => {
  const rows = rowsOf()

  test('are the same for the same seed, and others for another', () => {
    expect(rowsOf()).toEqual(rows)
    expect(rowsOf({ seed: 4 })).not.toEqual(rows)
  })

  test('of more stores and products hold those of fewer', () => {
    const key = ({ n, store, product }: Row) => `${n} ${store} ${product}`
    const more = new Map(rowsOf({ stores: 6, products: 70 }).map((row) => [key(row), row]))
    expect(more.size).toBeGreaterThan(rows.length)
    expect(rows.map((row) => more.get(key(row)))).toEqual(rows)
  })

  test('have a row for each product in each store and on each day from its launch on', () => {
    const { products } = makeSalesWorld(small)
    const wanted = products.reduce((sum, { launchDay }) => sum + small.days - launchDay, 0)
    expect(rows.length).toBe(wanted * small.stores)
    expect(products.some(({ launchDay }) => launchDay > 0)).toBe(true)
    expect(rows.every(({ product, n }) => n >= products[product]!.launchDay)).toBe(true)
  })

  test('are whole, never below zero, at a price', () => {
    expect(rows.filter(({ quantity: q }) => !Number.isInteger(q) || q < 0)).toEqual([])
    expect(rows.filter(({ priceCents }) => priceCents <= 0)).toEqual([])
  })

  test('rise in promotions, which cost less', () => {
    const on = rows.filter(({ promotion, stockOut }) => promotion && !stockOut)
    const off = rows.filter(({ promotion, stockOut }) => !promotion && !stockOut)
    expect(on.length / rows.length).toBeGreaterThan(0.02)
    expect(mean(on) / mean(off)).toBeGreaterThan(1.4)
    const { products } = makeSalesWorld(small)
    for (const { product, priceCents } of on)
      expect(priceCents).toBeLessThan(products[product]!.priceCents)
  })

  test('are zero where a store was out of something, for ten days in a row at most', () => {
    const out = rows.filter(({ stockOut }) => stockOut)
    expect(out.length / rows.length).toBeGreaterThan(0.003)
    expect(out.length / rows.length).toBeLessThan(0.03)
    expect(out.every(({ quantity }) => quantity === 0)).toBe(true)
    const days = new Map<string, number[]>()
    for (const { store, product, n } of out) {
      const known = days.get(`${store} ${product}`) ?? []
      days.set(`${store} ${product}`, [...known, n])
    }
    for (const list of days.values()) {
      let run = 1
      for (let i = 1; i < list.length; i++) {
        run = list[i] === list[i - 1]! + 1 ? run + 1 : 1
        expect(run).toBeLessThanOrEqual(10)
      }
    }
  })

  test('of an intermittent product are mostly zero, those of others mostly not', () => {
    const { products } = makeSalesWorld(small)
    const zeros = (rare: boolean) => {
      const some = rows.filter(
        ({ product, stockOut }) => !stockOut && products[product]!.demand < 0.3 === rare,
      )
      expect(some.length).toBeGreaterThan(1_000)
      return some.filter(({ quantity }) => quantity === 0).length / some.length
    }
    expect(zeros(true)).toBeGreaterThan(0.6)
    expect(zeros(false)).toBeLessThan(0.3)
  })

  test('are more at the weekend, and swing with the year', () => {
    const world = makeSalesWorld(small)
    const isWeekend = ({ n }: Row) => [5, 6].includes((small.firstDay + n + 3) % 7)
    const calm = rows.filter(({ promotion, stockOut }) => !promotion && !stockOut)
    const week = calm.filter((row) => !isWeekend(row))
    expect(mean(calm.filter(isWeekend)) / mean(week)).toBeGreaterThan(1.1)
    const swinging = world.products.reduce((a, b) =>
      b.swing * b.demand > a.swing * a.demand && b.launchDay === 0 ? b : a,
    )
    const near = ({ n, product }: Row, dayOfYear: number) => {
      const away = (small.firstDay + n - dayOfYear) % 365.25
      return product === swinging.id - 1 && Math.min(away, 365.25 - away) < 45
    }
    const top = calm.filter((row) => near(row, swinging.peakDay))
    const bottom = calm.filter((row) => near(row, swinging.peakDay + 182))
    expect(mean(top)).toBeGreaterThan(mean(bottom))
  })

  test('follow their expectation', () => {
    // What a store sells of everything in a year, against the sum of what it should.
    const world = makeSalesWorld(small)
    const expected = world.products
      .filter(({ launchDay }) => launchDay === 0)
      .reduce((sum, { demand }) => sum + demand, 0)
    const size = world.stores.reduce((sum, store) => sum + store.size, 0)
    const sold = rows
      .filter(({ product, promotion, stockOut }) => {
        return !promotion && !stockOut && world.products[product]!.launchDay === 0
      })
      .reduce((sum, { quantity }) => sum + quantity, 0)
    // Growth and affinities raise it by some percent, promotions and stock-outs take days away.
    expect(sold / (expected * size * small.days)).toBeGreaterThan(0.85)
    expect(sold / (expected * size * small.days)).toBeLessThan(1.15)
  })
})
