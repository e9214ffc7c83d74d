import type { Ask, Forecast, Note, Outcome, Run } from '../family.ts'
import { normalQuantile } from '../numeric/normal.ts'
import { studentQuantile } from '../numeric/student.ts'
import { done, refused } from '../outcome.ts'
import type { Calibration, Member } from './model.ts'
import { partOf } from './parts.ts'

/** What the members say of one horizon, side by side. */
export type Voices = {
  readonly names: readonly string[]
  readonly weights: Float64Array
  readonly points: readonly Float64Array[]
  readonly quantiles: readonly Float64Array[]
  readonly notes: readonly Note[]
}

/** Asks every member; one that refuses is silent, and that is noted. */
export function voicesOf(members: readonly Member[], ask: Ask, run: Run): Outcome<Voices> {
  const { bounds: _, ...unbounded } = ask
  return gathered(members, ({ model }) => partOf(model).forecast(model, unbounded, run))
}

/** What members say, by whatever asks each of them. */
export function gathered(
  members: readonly Member[],
  ask: (member: Member, index: number) => Outcome<Forecast>,
): Outcome<Voices> {
  const names: string[] = []
  const weights: number[] = []
  const points: Float64Array[] = []
  const quantiles: Float64Array[] = []
  const notes: Note[] = []
  let refusal: Outcome<never> | undefined
  for (const [index, member] of members.entries()) {
    const { name, weight } = member
    const outcome = ask(member, index)
    if (outcome.kind === 'refused') {
      refusal = outcome
      notes.push({ code: 'member-silent', detail: `${name}: ${outcome.reason.detail}` })
      continue
    }
    names.push(name)
    weights.push(weight)
    points.push(outcome.value.point)
    quantiles.push(outcome.value.quantiles)
    for (const { code, detail } of outcome.value.notes) {
      notes.push({ code, detail: `${name}: ${detail}` })
    }
  }
  if (names.length > 0) {
    return done({ names, weights: Float64Array.from(weights), points, quantiles, notes })
  }
  const nobody = { code: 'not-finite', detail: 'No member has a forecast.' }
  return refusal ?? refused(nobody)
}

/**
 * The combined point is the weighted median of the members' points. A quantile lies away from it by
 * the weighted median of the members' own distances, joined with their disagreement, scaled by what
 * the calibration says for the step, with a t in place of the normal. All is done step by step, so
 * that a short horizon is the beginning of a long one.
 */
export function combineVoices(voices: Voices, calibration: Calibration, ask: Ask): Forecast {
  const middle = middleOf(voices, calibration, ask.horizon)
  const quantiles = widthsAround(middle, voices, calibration, ask.quantiles)
  return { point: middle.point, quantiles, notes: voices.notes }
}

/** What the members' points alone settle, for each step. */
export type Middle = {
  readonly point: Float64Array
  /** What their disagreement adds to a distance, in standard deviations. */
  readonly spreads: Float64Array
  readonly scales: Float64Array
}

export function middleOf(
  voices: Pick<Voices, 'weights' | 'points'>,
  calibration: Calibration,
  horizon: number,
): Middle {
  const { points, weights } = voices
  const median = makeMedian(weights)
  const point = new Float64Array(horizon)
  const spreads = new Float64Array(horizon)
  const scales = new Float64Array(horizon)
  for (let h = 0; h < horizon; h++) {
    point[h] = median((i) => points[i]![h]!)
    spreads[h] = calibration.disagreement * disagreementAt(voices, h, point[h]!)
    scales[h] = calibration.scale * growthAt(calibration, h)
  }
  return { point, spreads, scales }
}

/** The quantiles around a middle, horizon × probabilities, row-major. */
export function widthsAround(
  { point, spreads, scales }: Middle,
  { weights, points, quantiles }: Voices,
  calibration: Calibration,
  probabilities: Float64Array,
): Float64Array {
  const width = probabilities.length
  const z = probabilities.map(normalQuantile)
  const stretch = z.map((score, k) => stretchOf(calibration, probabilities[k]!, score))
  const median = new Median(weights)
  const out = new Float64Array(point.length * width)
  for (let h = 0; h < point.length; h++) {
    for (let k = 0; k < width; k++) {
      // No function that reads: its numbers would each become an object, thousands an answer.
      for (let i = 0; i < points.length; i++)
        median.values[i] = quantiles[i]![h * width + k]! - points[i]![h]!
      const joined = joinSpread(median.middle(), spreads[h]! * z[k]!, z[k]!)
      out[h * width + k] = point[h]! + scales[h]! * stretch[k]! * joined
    }
  }
  return out
}

/** Root mean square distance of the members' points from the combined one, at one step. */
export function disagreementAt(
  voices: Pick<Voices, 'weights' | 'points'>,
  h: number,
  centre: number,
): number {
  let sum = 0
  let total = 0
  for (let i = 0; i < voices.points.length; i++) {
    const distance = voices.points[i]![h]! - centre
    sum += voices.weights[i]! * distance * distance
    total += voices.weights[i]!
  }
  return Math.sqrt(sum / total)
}

/** A distance on one side of the point, the longer for what the members disagree about. */
export function joinSpread(own: number, spread: number, side: number): number {
  if (side === 0 || spread === 0) return own
  const size = Math.sqrt(own * own + spread * spread)
  return own + Math.sign(side) * (size - Math.abs(own))
}

/** How much the scale has grown at step h, counted from 0. */
export function growthAt({ growth }: Pick<Calibration, 'growth'>, h: number): number {
  return Math.exp(growth * Math.log(h + 1))
}

/** The weighted median: the middle of the two members between which half of the weight lies. */
class Median {
  /** What each member says; to be filled before asking for the middle. */
  readonly values: Float64Array
  readonly #weights: Float64Array
  readonly #order: Int32Array
  readonly #half: number

  constructor(weights: Float64Array) {
    this.values = new Float64Array(weights.length)
    this.#weights = weights
    this.#order = new Int32Array(weights.length)
    this.#half = weights.reduce((sum, weight) => sum + weight, 0) / 2
  }

  middle(): number {
    const values = this.values
    const weights = this.#weights
    const order = this.#order
    const half = this.#half
    const size = values.length
    for (let i = 0; i < size; i++) {
      let at = i
      for (; at > 0 && values[order[at - 1]!]! > values[i]!; at--) order[at] = order[at - 1]!
      order[at] = i
    }
    let sum = 0
    for (let k = 0; k < size; k++) {
      sum += weights[order[k]!]!
      if (sum < half * (1 - 1e-12)) continue
      const value = values[order[k]!]!
      const isMiddle = sum <= half * (1 + 1e-12) && k + 1 < size
      return isMiddle ? value + (values[order[k + 1]!]! - value) / 2 : value
    }
    return values[order[size - 1]!]!
  }
}

/** The weighted median of what is read of each member. */
export function makeMedian(weights: Float64Array): (read: (i: number) => number) => number {
  const median = new Median(weights)
  return (read) => {
    for (let i = 0; i < weights.length; i++) median.values[i] = read(i)
    return median.middle()
  }
}

/** The quantile of the t over that of the normal. */
function stretchOf({ degrees }: Calibration, probability: number, score: number): number {
  if (Math.abs(score) < 1e-6) return 1
  return studentQuantile(probability, degrees) / score
}
