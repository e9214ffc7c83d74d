import { normalAt, uniformAt } from '../../src/numeric/random.ts'

/** Series of known shapes, each drawn from a seed of its own. */

/** A growing level with a season of 12 that grows with it, like airline passengers. */
export function growingSeason(n: number, seed = 1): Float64Array {
  return Float64Array.from({ length: n }, (_, t) => {
    const season =
      1 + 0.2 * Math.sin((2 * Math.PI * t) / 12) + 0.1 * Math.cos((4 * Math.PI * t) / 12)
    return (100 + 1.5 * t) * season * Math.exp(0.04 * normalAt(seed, 0, t))
  })
}

/** A random walk around some level. */
export function walk(n: number, seed = 2, level = 50): Float64Array {
  let at = level
  return Float64Array.from({ length: n }, (_, t) => {
    at += normalAt(seed, 1, t)
    return at
  })
}

/** Mostly zeros, now and then a small count. */
export function counts(n: number, seed = 3): Float64Array {
  return Float64Array.from({ length: n }, (_, t) =>
    uniformAt(seed, 2, t) < 0.7 ? 0 : 1 + Math.floor(4 * uniformAt(seed, 3, t)),
  )
}

/** Days with a week and a year in them. */
export function days(n: number, seed = 4): Float64Array {
  return Float64Array.from(
    { length: n },
    (_, t) =>
      200 +
      20 * Math.sin((2 * Math.PI * t) / 365) +
      8 * Math.cos((2 * Math.PI * t) / 7) +
      4 * normalAt(seed, 4, t),
  )
}

/** A copy of which some values are missing, `trailing` of them at the end. */
export function withGaps(y: Float64Array, trailing: number, seed = 5): Float64Array {
  return y.map((value, t) =>
    t >= y.length - trailing || uniformAt(seed, 5, t) < 0.1 ? Number.NaN : value,
  )
}

/** What nobody should send, and somebody will. */
export function nastySeries(): ReadonlyMap<string, Float64Array> {
  const n = 60
  const noise = (t: number) => normalAt(6, 6, t)
  const of = (value: (t: number) => number) => Float64Array.from({ length: n }, (_, t) => value(t))
  return new Map([
    ['nothing', new Float64Array(0)],
    ['one point', Float64Array.of(3)],
    ['two points', Float64Array.of(3, 5)],
    ['three points', Float64Array.of(3, 5, 4)],
    ['five points', Float64Array.of(3, 5, 4, 6, 2)],
    ['all missing', of(() => Number.NaN)],
    ['one value among missing ones', of((t) => (t === 30 ? 7 : Number.NaN))],
    ['zeros', of(() => 0)],
    ['a constant', of(() => 12.3)],
    ['a constant with the least noise', of((t) => 5 + 1e-12 * noise(t))],
    ['a line', of((t) => 2 * t + 1)],
    ['two values in turn', of((t) => t % 2)],
    ['huge', of((t) => 1e149 * (1 + 0.1 * noise(t)))],
    ['tiny', of((t) => 1e-149 * (1 + 0.1 * noise(t)))],
    ['both at once', of((t) => (t % 7 === 0 ? 1e100 : 1e-100))],
    ['one spike', of((t) => (t === 41 ? 1e12 : noise(t)))],
    ['a step', of((t) => (t < 30 ? 0 : 1e6))],
    ['negative', of((t) => -50 + noise(t))],
    ['exponential growth', of((t) => Math.exp(t))],
    ['mostly missing', of((t) => (t % 9 === 0 ? noise(t) : Number.NaN))],
    ['a long gap at the end', of((t) => (t < 40 ? 10 + noise(t) : Number.NaN))],
    ['a long gap at the start', of((t) => (t > 20 ? 10 + noise(t) : Number.NaN))],
    ['the largest that is taken', of((t) => (t % 2 === 0 ? 1e150 : -1e150))],
  ])
}
