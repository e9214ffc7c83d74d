import { describe, expect, test } from 'vitest'
import { calibrate, shownScale } from '../../src/automatic/calibrate.ts'
import { combineVoices, joinSpread, makeMedian, type Voices } from '../../src/automatic/combine.ts'
import type { Calibration } from '../../src/automatic/model.ts'
import { noRolling } from '../../src/automatic/rolling.ts'
import { intervalNote } from '../../src/automatic/summary.ts'
import { normalQuantile } from '../../src/numeric/normal.ts'
import { studentQuantile } from '../../src/numeric/student.ts'

const calibration: Calibration = {
  ...{ scale: 1.3, growth: 0.2, degrees: 5, disagreement: 1 },
  ...{ scores: 0, covered80: 0, covered95: 0 },
}
const quantiles = Float64Array.of(0.025, 0.1, 0.5, 0.9, 0.975)

describe('the weighted median', () => {
  test('of equal weights is the middle one, or the mean of the middle two', () => {
    const odd = makeMedian(Float64Array.of(0.2, 0.2, 0.2))
    expect(odd((i) => [5, 100, 7][i]!)).toBe(7)
    const even = makeMedian(Float64Array.of(0.25, 0.25, 0.25, 0.25))
    expect(even((i) => [5, 100, 7, -3][i]!)).toBe(6)
  })

  test('follows the weight of one that outweighs the rest', () => {
    const median = makeMedian(Float64Array.of(0.1, 0.7, 0.2))
    expect(median((i) => [1, 9, 2][i]!)).toBe(9)
  })
})

describe('the combined forecast', () => {
  test('of members that agree is theirs, widened by scale, step and t alone', () => {
    const voices = voicesOf([0, 0, 0], 4)
    const { point, quantiles: rows } = combine(voices, 4)
    expect([...point]).toEqual([10, 10, 10, 10])
    for (let h = 0; h < 4; h++) {
      for (const [k, probability] of quantiles.entries()) {
        const wide = studentQuantile(probability, 5) * 1.3 * (h + 1) ** 0.2
        expect(rows[h * quantiles.length + k]).toBeCloseTo(10 + 2 * wide, 9)
      }
    }
  })

  test('of members that disagree is wider, and no quantile crosses another', () => {
    const agreed = combine(voicesOf([0, 0, 0], 6), 6)
    const disagreed = combine(voicesOf([-3, 0, 3], 6), 6)
    for (let at = 0; at < agreed.quantiles.length; at++) {
      const k = at % quantiles.length
      const wider = Math.abs(disagreed.quantiles[at]! - 10) - Math.abs(agreed.quantiles[at]! - 10)
      if (k !== 2) expect(wider).toBeGreaterThan(0.5)
      if (k > 0) expect(disagreed.quantiles[at]).toBeGreaterThan(disagreed.quantiles[at - 1]!)
    }
  })

  test('ignores one member that is far off', () => {
    expect([...combine(voicesOf([0, 0.1, 1e6], 2), 2).point]).toEqual([10.1, 10.1])
  })

  test('keeps a skewed member skewed', () => {
    expect(joinSpread(-1, 0.5, -1)).toBeLessThan(-1)
    expect(joinSpread(4, 0.5, 1) - 4).toBeLessThan(-1 - joinSpread(-1, 0.5, -1))
  })
})

describe('the scale of a series', () => {
  const circumstances = { kind: 'plain', observed: 60 } as const

  test('follows the errors at its rolling origins, the more of them the closer', () => {
    const usual = calibrate(circumstances, noRolling).scale
    const wide = (origins: number) => calibrate(circumstances, scoresOf(3, origins)).scale
    expect(wide(12)).toBeGreaterThan(1.3 * usual)
    expect(wide(2)).toBeGreaterThan(usual)
    expect(wide(2)).toBeLessThan(wide(12))
    expect(calibrate(circumstances, scoresOf(0.3, 12)).scale).toBeLessThan(usual)
  })

  test('is the conformal quantile: an error of rank 0.8 (m + 1) of m', () => {
    const scores = Float64Array.of(1, -2, 3, -4, 5, -6, 7, -8, 9, -10)
    const rolling = { origins: 10, scores, steps: new Int32Array(10), memberErrors: scores }
    expect(shownScale(rolling).scale).toBeCloseTo(9 / normalQuantile(0.9), 12)
  })

  test('says how many errors lay inside, and claims no guarantee', () => {
    const few = calibrate(circumstances, scoresOf(1, 3))
    expect(intervalNote(few)).toMatchObject({ code: 'intervals-few-scores' })
    const many = calibrate(circumstances, scoresOf(1, 40))
    const note = intervalNote(many)
    expect(note.code).toBe('intervals-rolling')
    expect(note.detail).toContain('no guarantee')
    expect(note.detail).toContain(`${Math.round(100 * many.covered80)}% lie within the 80%`)
    expect(intervalNote(calibrate(circumstances, noRolling)).code).toBe('intervals-usual')
  })
})

/** Members whose points lie some distances from 10, each with a normal of deviation 2. */
function voicesOf(distances: readonly number[], horizon: number): Voices {
  const points = distances.map((distance) => new Float64Array(horizon).fill(10 + distance))
  return {
    names: distances.map((_, i) => `member ${i}`),
    weights: Float64Array.from(distances, () => 1 / distances.length),
    points,
    quantiles: points.map((point) =>
      Float64Array.from({ length: horizon * quantiles.length }, (_, at) => {
        const k = at % quantiles.length
        return point[(at - k) / quantiles.length]! + 2 * normalQuantile(quantiles[k]!)
      }),
    ),
    notes: [],
  }
}

function combine(voices: Voices, horizon: number) {
  return combineVoices(voices, calibration, { horizon, quantiles })
}

/** One error an origin, all of some size. */
function scoresOf(size: number, origins: number) {
  const scores = Float64Array.from({ length: origins }, (_, i) => (i % 2 === 0 ? size : -size))
  return { origins, scores, steps: new Int32Array(origins), memberErrors: new Float64Array(0) }
}
