import { normalAt, seedOfKey, uniformAt } from '@almanac/engine'

/** A product as it is everywhere. */
export type Product = {
  readonly id: number
  readonly name: string
  /** Without a promotion, in the first year. */
  readonly priceCents: number
  /** Units a day in an ordinary store. */
  readonly demand: number
  /** Share by which the demand grows in a year. */
  readonly growth: number
  /** The year's swing around the mean, as a share of it, and the day of the year at its top. */
  readonly swing: number
  readonly peakDay: number
  /** How many times as much is sold in a promotion. */
  readonly lift: number
  /** The first day on which it is there, counted from the table's first; 0: all along. */
  readonly launchDay: number
}

export type Store = {
  readonly id: number
  readonly name: string
  /** Times the demand of an ordinary store. */
  readonly size: number
  /** Times an ordinary day, Monday first; their mean is 1. */
  readonly week: readonly number[]
}

/**
 * Product `id` (from 1) of a seed, the same whatever else there is. One in seven is intermittent:
 * mostly nobody buys it. One in twelve is launched within the time of the table.
 */
export function productOf(seed: number, id: number, days: number): Product {
  const { uniform, normal } = drawsOf(seed, 'product', id)
  const isIntermittent = uniform(0) < 1 / 7
  const isNew = uniform(1) < 1 / 12
  return {
    id,
    name: nameOf(id, uniform(2)),
    priceCents: Math.max(29, Math.round(Math.exp(5.8 + 0.7 * normal(3)) / 10) * 10 - 1),
    demand: Math.exp(isIntermittent ? -2 + 0.6 * normal(4) : 1.4 + 0.8 * normal(4)),
    growth: 0.03 + 0.08 * normal(5),
    swing: 0.05 + 0.5 * uniform(6) ** 2,
    peakDay: Math.floor(uniform(7) * 365),
    lift: 1.4 + 1.6 * uniform(8),
    launchDay: isNew ? Math.floor(days * (0.1 + 0.8 * uniform(9))) : 0,
  }
}

/** Store `id` (from 1) of a seed. */
export function storeOf(seed: number, id: number): Store {
  const { normal, uniform } = drawsOf(seed, 'store', id)
  const weekend = 1.1 + 0.8 * uniform(1)
  const raw = ordinaryWeek.map((day, i) => day * (i < 5 ? 1 : weekend) * (1 + 0.05 * normal(2 + i)))
  const mean = raw.reduce((sum, day) => sum + day, 0) / raw.length
  return {
    id,
    name: `Store ${places[Math.floor(uniform(9) * places.length)]} ${id}`,
    size: Math.exp(0.4 * normal(0)),
    week: raw.map((day) => day / mean),
  }
}

/** Numbers that depend on nothing but the seed, what they are of, and which. */
function drawsOf(seed: number, kind: string, id: number) {
  const own = seedOfKey(seed, kind)
  return {
    uniform: (which: number) => uniformAt(own, id, which),
    normal: (which: number) => normalAt(own, id, which),
  }
}

function nameOf(id: number, chance: number): string {
  const at = Math.floor(chance * goods.length * kinds.length)
  const good = goods[at % goods.length]
  return `${good}, ${kinds[Math.floor(at / goods.length)]} ${id}`
}

const ordinaryWeek = [0.9, 0.9, 0.95, 1, 1.15, 1, 1]
const goods = [
  'Apples',
  'Biscuits',
  'Bread',
  'Butter',
  'Cereal',
  'Cheese',
  'Coffee',
  'Ice cream',
  'Juice',
  'Milk',
  'Nuts',
  'Pasta',
  'Rice',
  'Soap',
  'Soup',
  'Tea',
]
const kinds = ['fine', 'large', 'light', 'mild', 'organic', 'plain', 'rich', 'small']
const places = ['Bridge', 'Castle', 'Harbour', 'Market', 'Mill', 'Park', 'Station', 'Town']
