import { describe, expect, test } from 'vitest'
import { carriedSeasonsOf } from '../../src/mstl/patterns.ts'
import { type Mstl, mstlDecompose } from '../../src/series/mstl-decompose.ts'
import { makeRandom } from '../random.ts'

const period = 120

/** Years of a smooth pattern with one holiday, and noise that lasts for some days. */
function years(seed: number, cycles: number, persistence: number) {
  const random = makeRandom(seed)
  const truth = Float64Array.from({ length: period }, (_, t) => {
    return 4 * Math.sin((2 * Math.PI * t) / period) + (t === 77 ? 30 : 0)
  })
  let noise = 0
  const y = Float64Array.from({ length: cycles * period }, (_, t) => {
    noise = persistence * noise + 2 * random.normal()
    return 50 + truth[t % period]! + noise
  })
  return { y, truth: truth.map((value) => value - 30 / period) }
}

function carried(y: Float64Array, seasons: readonly number[]) {
  const parts = mstlDecompose(y, seasons, { robust: false })
  return { parts, ...carriedSeasonsOf(y, remainderOf(y, parts), parts) }
}

function remainderOf(y: Float64Array, { seasonals, trend }: Mstl): Float64Array {
  return y.map((value, t) => seasonals.reduce((rest, part) => rest - part[t]!, value - trend[t]!))
}

function error(pattern: Float64Array, truth: Float64Array): number {
  return pattern.reduce((sum, value, phase) => sum + (value - truth[phase]!) ** 2, 0) / period
}

/** The pattern of the last cycle as STL leaves it, around zero. */
function lastCycle({ seasonals }: Mstl): Float64Array {
  const last = seasonals[0]!.slice(-period)
  const mean = last.reduce((sum, value) => sum + value / period, 0)
  return last.map((value) => value - mean)
}

describe('a pattern that is carried on', () => {
  test.each([0, 0.6])(
    'has far less of the noise in it, lasting for days by %s or not',
    (lasting) => {
      let smoothed = 0
      let raw = 0
      for (let seed = 0; seed < 20; seed++) {
        const { y, truth } = years(seed, 5, lasting)
        const { patterns, parts } = carried(y, [period])
        smoothed += error(patterns, truth)
        raw += error(lastCycle(parts), truth)
      }
      expect(smoothed / raw).toBeLessThan(lasting === 0 ? 0.32 : 0.62)
    },
  )

  test('keeps a holiday that stands out of its days', () => {
    const { y, truth } = years(3, 5, 0)
    const { patterns } = carried(y, [period])
    expect(Math.abs(patterns[77]! - truth[77]!)).toBeLessThan(4)
    expect(patterns[77]! - patterns[76]!).toBeGreaterThan(20)
  })

  test('is left as it is where there is no noise to smooth', () => {
    const { truth } = years(3, 5, 0)
    const sharp = truth.map((value, phase) => value + (phase % 2 === 0 ? 1 : -1))
    const y = Float64Array.from({ length: 5 * period }, (_, t) => sharp[t % period]!)
    const { patterns, flat } = carried(y, [period])
    expect(error(patterns, sharp)).toBeLessThan(1e-12)
    expect(flat).toEqual([])
  })

  test('is zero where it is no more than noise would leave, and so is its leverage', () => {
    const random = makeRandom(8)
    let flat = 0
    for (let trial = 0; trial < 40; trial++) {
      const y = Float64Array.from({ length: 140 }, () => random.normal())
      const found = carried(y, [7])
      if (found.flat.length === 0) continue
      flat++
      expect(found.patterns).toEqual(new Float64Array(7))
      expect(found.adjusted).toEqual(y)
      expect(found.leverage).toBe(0)
    }
    expect(flat).toBeGreaterThan(25)
  })
})
