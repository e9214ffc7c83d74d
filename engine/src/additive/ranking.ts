/** Sorts the values of numbered paths at one step after the other. */
export type Ranking = {
  /** Ascending; overwritten by the next call. */
  sort(values: Float64Array): Float64Array
}

/**
 * Paths seldom overtake one another between two steps, so that they are sorted by insertion in the
 * order of the step before. Where many do, which costs more, the values are sorted from scratch.
 */
export function makeRanking(count: number): Ranking {
  const order = Int32Array.from({ length: count }, (_, path) => path)
  const sorted = new Float64Array(count)
  let known = false
  return {
    sort(values) {
      if (!known) order.sort((a, b) => values[a]! - values[b]!)
      known = true
      if (insert(values)) return sorted
      sorted.set(values)
      return sorted.sort()
    },
  }

  function insert(values: Float64Array): boolean {
    let moves = count * movesPerPathMax
    let before = Number.NEGATIVE_INFINITY
    for (let rank = 0; rank < count; rank++) {
      const path = order[rank]!
      const value = values[path]!
      if (before <= value) {
        sorted[rank] = value
        before = value
        continue
      }
      let to = rank
      for (; to > 0 && sorted[to - 1]! > value; to--) {
        sorted[to] = sorted[to - 1]!
        order[to] = order[to - 1]!
      }
      sorted[to] = value
      order[to] = path
      moves -= rank - to
      if (moves < 0) return false
    }
    return true
  }
}

/** Moves of all paths together that cost about as much as a sort. */
const movesPerPathMax = 30
