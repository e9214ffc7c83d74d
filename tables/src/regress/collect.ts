import { type Outcome, refused } from '../fault.ts'
import { limits } from '../limits.ts'
import { type Categories, numberOfFeature, numberOfText } from './assemble.ts'
import type { RegressionRow, RegressionSpec } from './spec.ts'

/** Rows to learn from, as a column of numbers for each feature; a category is its index. */
export type Training = {
  readonly columns: readonly Float64Array[]
  readonly targets: Float64Array
  readonly categories: Categories
  /** Rows that were passed over, as their target or a feature was no number, or missing. */
  readonly unusable: number
}

export type Collector = {
  /** Undefined once there are more than are taken: then the rest need not be read. */
  readonly add: (row: RegressionRow) => 'full' | undefined
  readonly end: () => Outcome<Training>
}

/** Collects the rows of a table as numbers: eight bytes for each value, whatever its text. */
export function makeCollector(spec: RegressionSpec): Collector {
  const { features } = spec
  const width = features.length + 1
  const rowsMax = Math.min(limits.regressionRowsMax, Math.floor(limits.regressionValuesMax / width))
  const columns = features.map(() => makeColumn())
  const targets = makeColumn()
  const codes = features.map(({ type }) => (type === 'category' ? new Map<string, number>() : null))
  const values = new Float64Array(features.length)
  let [given, rows, names] = [0, 0, 0]

  /** Whether each feature has a number; a new category is one only where all others have, too. */
  const read = (row: RegressionRow): boolean => {
    for (const [i, { column, type }] of features.entries()) {
      const text = row.get(column)?.trim()
      if (!text) return false
      const number = type === 'category' ? codes[i]!.get(text) : numberOfFeature(text, type)
      if (number === undefined && type !== 'category') return false
      values[i] = number ?? -1
    }
    return true
  }
  const isFull = () => rows > rowsMax || names > limits.categoriesMax
  return {
    add: (row) => {
      given += 1
      const target = numberOfText(row.get(spec.target))
      if (target === undefined || !read(row)) return undefined
      rows += 1
      for (const [i, { column }] of features.entries()) {
        const known = codes[i]
        if (known && values[i] === -1) {
          values[i] = known.size
          known.set(row.get(column)!.trim(), known.size)
          names += 1
        }
        columns[i]!.push(values[i]!)
      }
      targets.push(target)
      return isFull() ? 'full' : undefined
    },
    end: () => {
      if (names > limits.categoriesMax) return tooManyCategories
      if (rows > rowsMax) return tooManyRows(rowsMax, features.length)
      if (rows < 2) return tooFewRows(given, rows)
      const y = targets.values()
      const all = columns.map((column) => column.values())
      const categories = codes.map((known, i) => (known ? inOrder(known, all[i]!, y) : []))
      const value = { columns: all, targets: y, categories, unusable: given - rows }
      return { kind: 'done', value }
    },
  }
}

/**
 * The categories in the order of their mean target, and the column with their places in it: a tree
 * that splits between two places of that order finds the best of all ways to split them in two.
 */
function inOrder(
  codes: ReadonlyMap<string, number>,
  column: Float64Array,
  targets: Float64Array,
): readonly string[] {
  const [sums, counts] = [new Float64Array(codes.size), new Float64Array(codes.size)]
  for (const [row, code] of column.entries()) {
    sums[code]! += targets[row]!
    counts[code]! += 1
  }
  const mean = (code: number) => sums[code]! / counts[code]!
  const sorted = [...codes].toSorted(([a, x], [b, y]) => mean(x) - mean(y) || (a < b ? -1 : 1))
  const places = new Float64Array(codes.size)
  for (const [place, [, code]] of sorted.entries()) places[code] = place
  for (const [row, code] of column.entries()) column[row] = places[code]!
  return sorted.map(([name]) => name)
}

/** Numbers, in memory that grows with them. */
function makeColumn() {
  let numbers = new Float64Array(1_024)
  let length = 0
  return {
    push: (value: number) => {
      if (length === numbers.length) {
        const larger = new Float64Array(2 * length)
        larger.set(numbers)
        numbers = larger
      }
      numbers[length++] = value
    },
    values: () => numbers.subarray(0, length),
  }
}

const tooFewRows = (given: number, usable: number) =>
  refused({
    field: '/features',
    detail: `Of ${given} rows ${usable} have a target and all features; it takes two.`,
    remedy:
      given < 2
        ? 'Use a file with more rows, a shorter frequency, or more keys.'
        : 'Check their columns, and which of them are numbers.',
  })

const tooManyRows = (rowsMax: number, features: number) =>
  refused({
    field: '/features',
    detail: `The recipe makes more than ${rowsMax} rows, which is what a regression on ${features} features takes.`,
    remedy: 'Choose a longer frequency or fewer keys, filter rows, or cut the table into several.',
  })

const tooManyCategories = refused({
  field: '/features',
  detail: `The features have more than ${limits.categoriesMax} categories.`,
  remedy: 'Leave out what names single rows, or take it for a number.',
})
