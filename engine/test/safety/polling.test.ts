import { describe, expect, test } from 'vitest'
import { fitModel, forecastModel, parseSpec, type Run } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { longCases } from './long-series.ts'

/**
 * 10 ms are promised on a quiet core and measured with a profile; here only a family that stops
 * asking, or does much before it asks, has to be noticed. Time is that of this thread's work, so
 * that a busy machine costs little.
 */
const gapMaxMs = 100
/** From the answer to the end: a model has to be made of the best so far. */
const stopMaxMs = 250

const points = 10_000
const run: Run = { seed: 1, workMax: 2_000_000 }
const small = longCases(300)

describe('a long fit', () => {
  test.each(longCases(points))('$name: asks often whether it should stop', (given) => {
    const spec = doneValue(parseSpec(given.spec))
    warmUp(given.name)
    let last = workedMs()
    let worst = 0
    let asked = 0
    const look = () => {
      asked++
      const now = workedMs()
      worst = Math.max(worst, now - last)
      last = now
      return false
    }
    const outcome = fitModel(given.series, spec, { ...run, shouldStop: look })
    look()
    expect(outcome.kind).not.toBe('refused')
    // Croston's method has a closed form: it is done before anybody could ask.
    expect(asked).toBeGreaterThan(given.name === 'croston' ? 0 : 5)
    expect(worst, `${worst} ms`).toBeLessThan(gapMaxMs)
  })

  test.each(longCases(points))('$name: ends soon when it is told to, with a model', (given) => {
    const spec = doneValue(parseSpec(given.spec))
    warmUp(given.name)
    for (const after of [1, 40]) {
      let asked = 0
      let told = Number.POSITIVE_INFINITY
      const shouldStop = () => {
        asked++
        if (asked < after) return false
        if (asked === after) told = workedMs()
        return true
      }
      const outcome = fitModel(given.series, spec, { ...run, shouldStop })
      const took = workedMs() - told
      expect(took, `${took} ms`).toBeLessThan(stopMaxMs)
      // A fit that was over before it was told is just done.
      expect(outcome.kind).toBe(asked >= after ? 'stopped' : 'done')
      const model = doneValue(outcome)
      const ask = { horizon: 20, quantiles: Float64Array.of(0.1, 0.9) }
      const { point, quantiles } = doneValue(forecastModel(model, ask, run))
      expect([...point, ...quantiles].every(Number.isFinite)).toBe(true)
    }
  })
})

/** Compiling is not what is measured. */
function warmUp(name: string): void {
  const given = small.find((other) => other.name === name)!
  const spec = doneValue(parseSpec(given.spec))
  for (let i = 0; i < 2; i++) fitModel(given.series, spec, { ...run, shouldStop: () => false })
}

function workedMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
