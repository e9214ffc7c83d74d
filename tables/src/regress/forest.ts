/**
 * All trees one after the other, node by node, the root of each first. A node without a left one is
 * a leaf.
 */
export type ForestModel = {
  readonly kind: 'forest'
  /** Where each tree begins. */
  readonly roots: Int32Array
  readonly feature: Int32Array
  /** Up to it, it included, a row goes to the left, else to the right one beside it. */
  readonly threshold: Float64Array
  /** From the root of the same tree; 0 in a leaf. */
  readonly left: Int32Array
  readonly value: Float64Array
}

export function predictForest(
  { roots, feature, threshold, left, value }: ForestModel,
  row: Float64Array,
): number {
  let sum = 0
  for (const root of roots) {
    let node = root
    while (left[node]! > 0)
      node = root + left[node]! + (row[feature[node]!]! <= threshold[node]! ? 0 : 1)
    sum += value[node]!
  }
  return sum / roots.length
}
