import { describe, expect, test } from 'vitest'
import { makeTrace } from '../../src/ets/kernel.ts'
import { makeObjective } from '../../src/ets/objective.ts'
import { isForgetful, smoothingAt } from '../../src/ets/region.ts'
import { firstStates } from '../../src/ets/start.ts'
import { makeBudget } from '../../src/numeric/budget.ts'
import { makeRandom } from '../random.ts'
import { formNames, formOf, makeSeries } from './forms.ts'

const allBounds = ['usual', 'admissible', 'both'] as const
const endless = makeBudget({ workMax: Number.POSITIVE_INFINITY })

describe.each(formNames)('%s', (name) => {
  test.each(allBounds)('the analytic gradient is that of differences, in %s bounds', (bounds) => {
    const form = formOf(name, 4)
    const y = makeSeries(3, 60, 4).map((value, t) => (t % 13 === 5 ? Number.NaN : value / 128))
    const observed = y.filter((value) => !Number.isNaN(value)).length
    const prior = bounds === 'usual' ? 'steady' : 'flat'
    const objective = makeObjective(makeTrace(y, observed, 4), form, { bounds, prior }, endless)
    const states = firstStates(y, form)[0]!
    objective.place({ smoothing: Float64Array.of(0.3, 0.1, 0.15, 0.9), states }, 0.05)
    const random = makeRandom(7)
    for (let trial = 0; trial < 5; trial++) {
      const x = Float64Array.from({ length: objective.size }, () => 0.3 * random.normal())
      const [gradient, ignored] = [new Float64Array(x.length), new Float64Array(x.length)]
      expect(objective.smooth(x, gradient)).toBeLessThan(Number.POSITIVE_INFINITY)
      for (let i = 0; i < x.length; i++) {
        const [above, below] = [x.slice(), x.slice()]
        above[i]! += 1e-5
        below[i]! -= 1e-5
        const rise = objective.smooth(above, ignored) - objective.smooth(below, ignored)
        const slope = rise / 2e-5
        expect(Math.abs(slope - gradient[i]!), `parameter ${i}`).toBeLessThan(
          1e-6 * (1 + Math.abs(slope)),
        )
      }
    }
  })
})

describe('bounds', () => {
  test('usual ones are averages, 0 ≤ beta ≤ alpha ≤ 1 and 0 ≤ gamma ≤ 1 - alpha', () => {
    const random = makeRandom(1)
    const smoothing = new Float64Array(4)
    for (let trial = 0; trial < 1_000; trial++) {
      const shares = Float64Array.from({ length: 4 }, () => random.uniform())
      smoothingAt(shares, formOf('AAdA', 4), 'usual', smoothing)
      const [alpha = 0, beta = 0, gamma = 0, phi = 0] = smoothing
      expect(beta >= 0 && beta <= alpha && alpha <= 1).toBe(true)
      expect(gamma >= 0 && gamma <= 1 - alpha && phi >= 0.8 && phi <= 0.98).toBe(true)
    }
  })

  test.each(['ANN', 'AAN', 'AAdN', 'ANA', 'AAA', 'AAdA'])(
    'admissible ones of %s are where the filter forgets its first state',
    (name) => {
      const random = makeRandom(5)
      const form = formOf(name, 4)
      const smoothing = new Float64Array(4)
      const workspace = new Float64Array(12)
      let [inside, outside] = [0, 0]
      for (let trial = 0; trial < 400; trial++) {
        const shares = Float64Array.from({ length: 4 }, () => random.uniform())
        smoothingAt(shares, form, 'admissible', smoothing)
        const radius = growth(form.trend === 'A', form.season === 'A' ? 4 : 0, smoothing)
        if (Math.abs(radius - 1) < 0.01) continue
        const forgets = isForgetful(smoothing, form, workspace)
        expect(forgets, `${[...smoothing]}: ${radius}`).toBe(radius < 1)
        if (forgets) inside++
        else outside++
      }
      expect(inside).toBeGreaterThan(20)
      if (form.season === 'A' && form.trend === 'A') expect(outside).toBeGreaterThan(20)
    },
  )
})

/**
 * How fast the effect of the first state on the fit grows or fades, by iterating the filter on a
 * series of zeros: without the level that seasons and level can exchange, which no fit shows.
 */
function growth(trended: boolean, m: number, smoothing: Float64Array): number {
  const [alpha = 0, beta = 0, gamma = 0, phi = 0] = smoothing
  let [l, b] = [1, trended ? 0.7 : 0]
  const season = Float64Array.from({ length: Math.max(1, m) }, (_, j) => (m > 0 ? Math.cos(j) : 0))
  const steps = 3_000
  let logs = 0
  let last = 0
  let recent = 0
  for (let t = 0; t < steps; t++) {
    const d = trended ? phi * b : 0
    const j = t % season.length
    const e = -(l + d + season[j]!)
    l += d + alpha * e
    b = d + beta * e
    if (m > 0) season[j]! += gamma * e
    recent = Math.max(recent, Math.abs(e))
    if ((t + 1) % 100 > 0) continue
    // The size of the last hundred errors, taken out again so that nothing overflows.
    if (t > steps / 2) {
      logs += Math.log(recent)
      last += 100
    }
    const size = Math.max(recent, 1e-300)
    l /= size
    b /= size
    const shared = season.reduce((sum, value) => sum + value, 0) / season.length
    if (m > 0) l += shared / size
    for (let k = 0; k < season.length; k++) season[k] = (season[k]! - (m > 0 ? shared : 0)) / size
    recent = 0
  }
  return Math.exp(logs / last)
}
