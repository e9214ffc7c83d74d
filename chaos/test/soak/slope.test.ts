import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { slopeOf } from '../../soak/slope.ts'

/** Noise that leans on what was before it, as memory does. */
function wandering(length: number, seed: number): number[] {
  let state = seed
  let value = 0
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    value = 0.7 * value + (state / 2_147_483_648 - 0.5)
    return value
  })
}

describe('the slope of a soak', () => {
  test('is that of a straight line, and sure of it', () => {
    const points = Array.from({ length: 50 }, (_, i) => [i, 3 + 2 * i] as const)
    const { slope, margin } = slopeOf(points)
    expect(slope).toBeCloseTo(2, 10)
    expect(margin).toBeCloseTo(0, 10)
  })

  test('is within its margin nine times in ten, whatever the noise leans on', () => {
    const seeds = Array.from({ length: 200 }, (_, i) => i * 7_919 + 1)
    const within = seeds.filter((seed) => {
      const noise = wandering(100, seed)
      const { slope, margin } = slopeOf(noise.map((value, i) => [i, 0.02 * i + value]))
      return Math.abs(slope - 0.02) <= margin
    })
    expect(within.length).toBeGreaterThan(170)
  })

  test('notices a leak that is small beside the noise', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (seed) => {
        const noise = wandering(200, seed)
        const { slope, margin } = slopeOf(noise.map((value, i) => [i, 0.05 * i + 3 * value]))
        expect(slope - margin).toBeGreaterThan(0)
      }),
      { seed: 5, numRuns: 100 },
    )
  })
})
