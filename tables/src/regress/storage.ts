import { type Column, decodeContainer, encodeContainer } from '@almanac/engine'
import type { Categories } from './assemble.ts'
import type { ForestModel } from './forest.ts'
import { columnsOf, type LinearModel } from './linear.ts'
import { type RegressionModel, widthsOf } from './predict.ts'
import type { RegressionSpec } from './spec.ts'

/** The name in the container: whoever knows only series sees that it is none. */
const family = 'regression'
const format = 1

/** What is no array of numbers; small, but for the names of categories. */
type About = {
  readonly spec: RegressionSpec
  readonly categories: Categories
  readonly rows: number
  readonly unusable: number
}

export function encodeRegression(model: RegressionModel): Uint8Array {
  const { fitted, spec, categories, rows, unusable } = model
  const about: About = { spec, categories, rows, unusable }
  const { kind: _, ...arrays } = fitted
  const columns = new Map<string, Column>([
    ['about', JSON.stringify(about)],
    ...Object.entries<Column>(arrays),
  ])
  return encodeContainer({ family, familyFormat: format, columns })
}

/**
 * The model in some bytes, or what is wrong with them; never throws. What it holds is such that a
 * prediction ends: each node's children come after it and within its tree.
 */
export function decodeRegression(bytes: Uint8Array): RegressionModel | { readonly fault: string } {
  const container = decodeContainer(bytes)
  if (container.kind === 'refused') return { fault: container.reason.detail }
  const { family: name, familyFormat, columns } = container.value
  if (name !== family) return { fault: `it is a model of the family ${name}, not a regression` }
  if (familyFormat !== format) return { fault: `format ${familyFormat} of regressions is unknown` }
  const about = aboutOf(columns.get('about'))
  if (about === undefined) return { fault: 'it does not say what it is' }
  const { spec, categories } = about
  const fitted =
    spec.model.kind === 'linear'
      ? linearOf(columns, columnsOf(widthsOf(categories)))
      : forestOf(columns, spec.features.length)
  return typeof fitted === 'string' ? { fault: fitted } : { ...about, fitted }
}

/** In memory, about. */
export function regressionSizeBytes({ fitted, categories }: RegressionModel): number {
  const names = categories.flat()
  const ofNames = names.reduce((sum, name) => sum + 64 + 2 * name.length, 0)
  if (fitted.kind === 'linear') return ofNames + fitted.weights.byteLength
  const { feature, threshold, left, value } = fitted
  return ofNames + feature.byteLength + threshold.byteLength + left.byteLength + value.byteLength
}

function aboutOf(text: Column | undefined): About | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const about = JSON.parse(text) as About
    const { features, model, target } = about.spec
    const { categories } = about
    const isWhole =
      categories.length === features.length &&
      features.every(({ column, type }, i) => {
        return typeof column === 'string' && isNames(categories[i], type === 'category')
      })
    const isKnown = model.kind === 'linear' || model.kind === 'forest'
    return isWhole && isKnown && typeof target === 'string' ? about : undefined
  } catch {
    return undefined
  }
}

const isNames = (names: unknown, areAny: boolean) =>
  Array.isArray(names) &&
  names.length > 0 === areAny &&
  names.every((name) => typeof name === 'string')

type Columns = ReadonlyMap<string, Column>

function linearOf(columns: Columns, width: number): LinearModel | string {
  const weights = columns.get('weights')
  if (!(weights instanceof Float64Array) || weights.length !== width + 1)
    return 'it has not as many weights as columns'
  return { kind: 'linear', weights }
}

function forestOf(columns: Columns, features: number): ForestModel | string {
  const [roots, feature, left] = ['roots', 'feature', 'left'].map((name) => columns.get(name))
  const [threshold, value] = ['threshold', 'value'].map((name) => columns.get(name))
  if (!(roots instanceof Int32Array && feature instanceof Int32Array && left instanceof Int32Array))
    return 'its trees are none'
  if (!(threshold instanceof Float64Array && value instanceof Float64Array))
    return 'its trees are none'
  const { length } = value
  if ([feature, left, threshold].some((column) => column.length !== length))
    return 'its trees are cut short'
  if (roots.length === 0 || roots[0] !== 0) return 'it has no tree'
  for (const [tree, root] of roots.entries()) {
    const end = roots[tree + 1] ?? length
    if (end <= root || end > length) return `tree ${tree} is not where it should be`
    for (let node = root; node < end; node++) {
      const child = left[node]!
      const isLeaf = child === 0
      const isInside = child > node - root && root + child + 1 < end
      if (!isLeaf && !(isInside && feature[node]! >= 0 && feature[node]! < features))
        return `tree ${tree} leads elsewhere`
    }
  }
  return { kind: 'forest', roots, feature, threshold, left, value }
}
