import type { Ask, Outcome, Run } from '../family.ts'
import { areFinite } from '../numeric/finite.ts'
import { normalAt, uniformAt } from '../numeric/random.ts'
import { done, refused } from '../outcome.ts'
import { growthAt, makeMedian, voicesOf } from './combine.ts'
import { type AutomaticModel, type Calibration, isDemand } from './model.ts'
import { partOf } from './parts.ts'

/**
 * Each path is one member's, drawn by weight: its distance from that member's point, scaled as the
 * intervals are, is laid on the combined point. What makes a t of a normal stretches a path as a
 * whole: √(ν / χ²), the χ² drawn by the cube of Wilson and Hilferty (1931).
 */
export function simulateAutomatic(
  model: AutomaticModel,
  ask: Ask,
  paths: number,
  run: Run,
): Outcome<Float64Array> {
  const { horizon } = ask
  const voices = voicesOf(model.members, { ...ask, quantiles: new Float64Array(0) }, run)
  if (voices.kind === 'refused') return voices
  const { names, weights, points } = voices.value
  const speaking = model.members.filter(({ name }) => names.includes(name))
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  const median = makeMedian(weights)
  const centre = Float64Array.from({ length: horizon }, (_, h) => median((i) => points[i]![h]!))
  const chosen = Int32Array.from({ length: paths }, (_, path) =>
    drawMember(weights, all * uniformAt(run.seed, path, choiceStep)),
  )
  const out = new Float64Array(paths * horizon)
  const { bounds: _, ...unbounded } = ask
  for (const [i, { model: part }] of speaking.entries()) {
    if (!chosen.includes(i)) continue
    const drawn = partOf(part).simulate(part, unbounded, paths, run)
    if (drawn.kind === 'refused') return drawn
    for (let path = 0; path < paths; path++) {
      if (chosen[path] !== i) continue
      const stretch = model.calibration.scale * stretchOf(model.calibration, run.seed, path)
      for (let h = 0; h < horizon; h++) {
        const at = path * horizon + h
        const scale = stretch * growthAt(model.calibration, h)
        out[at] = centre[h]! + scale * (drawn.value[at]! - points[i]![h]!)
      }
    }
  }
  if (isDemand(model)) for (let at = 0; at < out.length; at++) out[at] = Math.max(0, out[at]!)
  if (areFinite(out)) return done(out)
  return refused({ code: 'not-finite', detail: 'A path leaves the range of numbers.' })
}

/** Steps below any that members draw at. */
const choiceStep = -1_000_003
const stretchStep = -1_000_004

function stretchOf({ degrees }: Calibration, seed: number, path: number): number {
  const variance = 2 / (9 * degrees)
  const root = 1 - variance + normalAt(seed, path, stretchStep) * Math.sqrt(variance)
  return 1 / Math.sqrt(Math.max(rootMin, root) ** 3)
}

/** Below this the cube stands for a draw rarer than one in millions. */
const rootMin = 0.05

function drawMember(weights: Float64Array, at: number): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]!
    if (at < sum) return i
  }
  return weights.length - 1
}
