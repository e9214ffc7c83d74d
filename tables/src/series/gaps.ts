/** Fills the marked observations from the last known one before them; returns how many. */
export function fillForward(y: Float64Array, marked: Uint8Array): number {
  let filled = 0
  let last = Number.NaN
  for (let at = 0; at < y.length; at++) {
    if (!Number.isNaN(y[at]!)) last = y[at]!
    else if (marked[at] === 1 && !Number.isNaN(last)) {
      y[at] = last
      filled += 1
    }
  }
  return filled
}

/** Fills the marked ones that lie between two known ones on the line between these. */
export function fillBetween(y: Float64Array, marked: Uint8Array): number {
  let filled = 0
  let left = -1
  for (let right = 0; right < y.length; right++) {
    if (Number.isNaN(y[right]!)) continue
    for (let at = left + 1; left >= 0 && at < right; at++) {
      if (marked[at] !== 1) continue
      y[at] = y[left]! + ((y[right]! - y[left]!) * (at - left)) / (right - left)
      filled += 1
    }
    left = right
  }
  return filled
}

export function fillZero(y: Float64Array, marked: Uint8Array): number {
  let filled = 0
  for (let at = 0; at < y.length; at++) {
    if (marked[at] !== 1 || !Number.isNaN(y[at]!)) continue
    y[at] = 0
    filled += 1
  }
  return filled
}
