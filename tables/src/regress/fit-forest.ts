import { uniformAt } from '@almanac/engine'
import { type Outcome, refused } from '../fault.ts'
import { limits } from '../limits.ts'
import type { ForestModel } from './forest.ts'

export type ForestOptions = {
  readonly trees: number
  readonly depthMax: number
  readonly leafMin: number
  readonly seed: number
}

/**
 * A random forest (Breiman, 2001) for regression: each tree has a sample of the rows with
 * replacement, each split is the one of a third of the features that lowers the variance most.
 * Thresholds are taken from up to 64 quantiles of a feature. Yields how far it is, from 0 to 1,
 * after each tree.
 */
export function* fitForest(
  columns: readonly Float64Array[],
  targets: Float64Array,
  options: ForestOptions,
): Generator<number, Outcome<ForestModel>> {
  const cuts = columns.map(cutsOf)
  const bins = columns.map((column, feature) => binsOf(column, cuts[feature]!))
  const trees: Tree[] = []
  let nodes = 0
  for (let tree = 0; tree < options.trees; tree++) {
    const sample = Int32Array.from(targets, (_row, i) =>
      Math.floor(uniformAt(options.seed, tree, i) * targets.length),
    )
    const grown = growTree(sample, { bins, cuts, targets, options, tree })
    nodes += grown.value.length
    if (nodes > limits.treeNodesMax) return tooLarge(tree + 1, options)
    trees.push(grown)
    yield (tree + 1) / options.trees
  }
  return { kind: 'done', value: forestOf(trees) }
}

type Tree = {
  readonly feature: readonly number[]
  readonly threshold: readonly number[]
  readonly left: readonly number[]
  readonly value: readonly number[]
}

function forestOf(trees: readonly Tree[]): ForestModel {
  const roots = new Int32Array(trees.length)
  for (let i = 1; i < roots.length; i++) roots[i] = roots[i - 1]! + trees[i - 1]!.value.length
  return {
    kind: 'forest',
    roots,
    feature: Int32Array.from(trees.flatMap(({ feature }) => feature)),
    threshold: Float64Array.from(trees.flatMap(({ threshold }) => threshold)),
    left: Int32Array.from(trees.flatMap(({ left }) => left)),
    value: Float64Array.from(trees.flatMap(({ value }) => value)),
  }
}

const tooLarge = (grown: number, { trees }: ForestOptions) =>
  refused({
    field: '/model',
    detail: `After ${grown} of ${trees} trees the forest has more than ${limits.treeNodesMax} nodes.`,
    remedy: 'Choose fewer trees, a smaller depthMax or a larger leafMin.',
  })

/** The part of a feature's values that each row is in. */
function binsOf(column: Float64Array, cuts: readonly number[]): Uint8Array {
  return Uint8Array.from(column, (value) => cuts.findIndex((cut) => value <= cut))
}

const cutsMax = 64

/** Ascending values that split a feature into parts of about as many rows; the last is no bound. */
function cutsOf(column: Float64Array): readonly number[] {
  const sorted = column.toSorted()
  const distinct = [...new Set(sorted)]
  const { length } = distinct.length < cutsMax ? distinct : sorted
  const from = distinct.length < cutsMax ? distinct : sorted
  const parts = Math.min(cutsMax, length)
  const cuts = Array.from({ length: parts - 1 }, (_, i) => {
    return from[Math.ceil(((i + 1) * length) / parts) - 1]!
  })
  return [...new Set(cuts), Number.POSITIVE_INFINITY]
}

type Growing = {
  /** Of each feature, the part of its values that each row is in. */
  readonly bins: readonly Uint8Array[]
  readonly cuts: readonly (readonly number[])[]
  readonly targets: Float64Array
  readonly options: ForestOptions
  readonly tree: number
}

function growTree(sample: Int32Array, growing: Growing): Tree {
  const { targets, options, bins, cuts } = growing
  const [feature, threshold, left, value]: [number[], number[], number[], number[]] = [
    [],
    [],
    [],
    [],
  ]
  const add = (rows: Int32Array) => {
    left.push(0)
    feature.push(0)
    threshold.push(0)
    value.push(rows.reduce((sum, row) => sum + targets[row]!, 0) / rows.length)
  }
  const waiting = [{ node: 0, rows: sample, depth: 0 }]
  add(sample)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, rows, depth } = next
    if (depth >= options.depthMax || rows.length < 2 * options.leafMin) continue
    const split = bestSplit(rows, node, growing)
    if (split === undefined) continue
    const isLeft = (row: number) => bins[split.feature]![row]! <= split.bin
    const [less, more] = [rows.filter(isLeft), rows.filter((row) => !isLeft(row))]
    feature[node] = split.feature
    threshold[node] = cuts[split.feature]![split.bin]!
    left[node] = value.length
    waiting.push({ node: value.length, rows: less, depth: depth + 1 })
    waiting.push({ node: value.length + 1, rows: more, depth: depth + 1 })
    add(less)
    add(more)
  }
  return { feature, threshold, left, value }
}

type Split = { readonly feature: number; readonly bin: number; readonly gain: number }

function bestSplit(rows: Int32Array, node: number, growing: Growing): Split | undefined {
  const { cuts, tree, options } = growing
  const order = cuts
    .map((_, feature) => ({
      feature,
      chance: uniformAt(options.seed + 1, tree * 65_536 + node, feature),
    }))
    .toSorted((a, b) => a.chance - b.chance)
  let best: Split | undefined
  const tried = Math.max(1, Math.ceil(cuts.length / 3))
  for (const [i, { feature }] of order.entries()) {
    // Where the first ones do not split the rows at all, others may.
    if (i >= tried && best !== undefined) break
    const split = splitOf(rows, feature, growing)
    if (split !== undefined && split.gain > (best?.gain ?? 0)) best = split
  }
  return best
}

/** The bin after which a split lowers the sum of squares most. */
function splitOf(
  rows: Int32Array,
  feature: number,
  { bins, cuts, targets, options }: Growing,
): Split | undefined {
  const width = cuts[feature]!.length
  const [sums, counts] = [new Float64Array(width), new Int32Array(width)]
  let total = 0
  for (const row of rows) {
    const bin = bins[feature]![row]!
    sums[bin]! += targets[row]!
    counts[bin]! += 1
    total += targets[row]!
  }
  let best: Split | undefined
  let [sum, count] = [0, 0]
  for (let bin = 0; bin < width - 1; bin++) {
    sum += sums[bin]!
    count += counts[bin]!
    const rest = rows.length - count
    if (count < options.leafMin || rest < options.leafMin) continue
    const gain = sum ** 2 / count + (total - sum) ** 2 / rest - total ** 2 / rows.length
    if (gain > (best?.gain ?? 1e-12)) best = { feature, bin, gain }
  }
  return best
}
