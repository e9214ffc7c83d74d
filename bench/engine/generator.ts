import { normalAt, uniformAt } from '../../engine/src/numeric/random.ts'

/**
 * Series as business, economy and nature make them, for constants that are to be learned without
 * looking at real ones: trends that bend, fade and break, levels that shift, seasons that grow with
 * the level or change their pattern, cycles, roots at and near one, noise with heavy tails and a
 * variance that moves, outliers. What happens goes on happening after the last observation.
 *
 * The shapes, their odds and sizes were written down before any was compared with anything, and
 * changed once since: widths learned here held fewer of the yearly values to come in real series
 * than they promise. More shifts and a wilder variance left that as it was, and were taken back;
 * trends that change more often and further, and lighter tails of sums over quarters and years,
 * made it better and stayed (`levelOf`, `noiseOf`). No further size was tried.
 */
export type Generated = {
  readonly y: Float64Array
  /** Observations that are given to a model; the rest is what comes. */
  readonly train: number
  readonly seasons: readonly number[]
  readonly frequency: GeneratedFrequency
}

export type GeneratedFrequency =
  | 'yearly'
  | 'quarterly'
  | 'monthly'
  | 'weekly'
  | 'daily'
  | 'daily for years'
  | 'hourly'

type Shape = {
  /** The season that everything is measured by, and perhaps one beside it. */
  readonly season: number
  readonly other?: number
  /** Steps in a year: what happens to a level happens as often a year at any frequency. */
  readonly year: number
  readonly shortest: number
  readonly longest: number
  readonly horizon: number
}

const shapes: Readonly<Record<GeneratedFrequency, Shape>> = {
  yearly: { season: 1, year: 1, shortest: 7, longest: 120, horizon: 6 },
  quarterly: { season: 4, year: 4, shortest: 12, longest: 140, horizon: 8 },
  monthly: { season: 12, year: 12, shortest: 30, longest: 330, horizon: 24 },
  weekly: { season: 52, year: 52, shortest: 130, longest: 400, horizon: 26 },
  daily: { season: 7, year: 365, shortest: 60, longest: 800, horizon: 30 },
  'daily for years': {
    season: 365,
    other: 7,
    year: 365,
    shortest: 800,
    longest: 3_000,
    horizon: 30,
  },
  hourly: { season: 24, other: 168, year: 8766, shortest: 400, longest: 1_500, horizon: 48 },
}

/** The series of a number; the same for the same number. */
export function generateSeries(frequency: GeneratedFrequency, seed: number): Generated {
  const shape = shapes[frequency]
  const draw = makeDraw(seed)
  const span = Math.log(shape.longest / shape.shortest)
  const train = Math.round(shape.shortest * Math.exp(span * draw.uniform()))
  const length = train + shape.horizon
  const positive = draw.chance(0.8)
  const noise = noiseOf(draw, length, shape)
  const level = levelOf(draw, length, shape)
  const season = draw.chance(shape.season > 1 ? 0.85 : 0)
    ? seasonOf(draw, length, shape.season)
    : new Float64Array(length)
  const other = shape.other ?? 1
  const isMade = other > 1 && draw.chance(0.7)
  const beside = isMade ? seasonOf(draw, length, other) : new Float64Array(length)
  const size = draw.between(0.01, 0.12)
  const slow = size * Math.exp(draw.between(-1.2, 1.2))
  const swing = size * Math.exp(draw.between(-0.5, 1.5))
  const log = Float64Array.from(
    { length },
    (_, t) => size * noise[t]! + slow * level[t]! + swing * (season[t]! + beside[t]!),
  )
  // Multiplied parts: the logarithm is what is added up; a sum else, of the same relative size.
  const base = Math.exp(draw.between(1, 12))
  const multiplied = positive && draw.chance(0.6)
  const y = log.map((value) => base * (multiplied ? Math.exp(clamp(value, 12)) : 1 + value))
  const seasons = [shape.season, other].filter((length) => length > 1).sort((a, b) => a - b)
  return { y, train, seasons, frequency }
}

/** Trends, breaks, cycles and wandering, in units of the noise. */
function levelOf(draw: Draw, length: number, { season, year }: Shape): Float64Array {
  const wander = draw.chance(0.8) ? Math.exp(draw.between(-2.5, 1.2)) : 0
  const root = draw.chance(0.3) ? draw.between(0.7, 0.99) : 1
  const slopeWander = draw.chance(0.7) ? Math.exp(draw.between(-3, 0.5)) : 0
  const damping = draw.chance(0.5) ? draw.between(0.8, 0.99) : 1
  const shiftOdds = (draw.chance(0.5) ? draw.between(0.2, 1.5) : 0) / (8 * year)
  const breakOdds = (draw.chance(0.7) ? draw.between(0.2, 1.5) : 0) / (4 * year)
  const slopeSize = Math.exp(draw.between(-3.5, 0.5)) / Math.sqrt(season)
  const swing = draw.chance(0.3) ? Math.exp(draw.between(-0.5, 1.5)) : 0
  const period = Math.max(4, season) * draw.between(2.5, 9)
  let slope = draw.chance(0.7) ? slopeSize * draw.normal() : 0
  let level = 0
  let carried = 0
  let phase = draw.between(0, 2 * Math.PI)
  const out = new Float64Array(length)
  for (let t = 0; t < length; t++) {
    if (draw.chance(breakOdds)) slope = draw.chance(0.3) ? 0 : slopeSize * draw.normal()
    slope =
      slope * (slopeWander > 0 ? damping : 1) + (slopeWander * draw.normal()) / Math.sqrt(season)
    level += slope
    if (draw.chance(shiftOdds)) level += 4 * draw.heavy(4)
    carried = root * carried + wander * draw.normal()
    // A cycle whose length is never the same twice.
    phase += ((2 * Math.PI) / period) * Math.exp(0.3 * draw.normal())
    out[t] = level + carried + swing * Math.sin(phase)
  }
  return out
}

/** A pattern of unit size that may drift, and may be a few smooth waves or anything. */
function seasonOf(draw: Draw, length: number, season: number): Float64Array {
  const smooth = season > 12 || draw.chance(0.4)
  const drift = draw.chance(0.6) ? Math.exp(draw.between(-3.5, -1)) : 0
  let pattern = new Float64Array(season)
  const waves = (size: number) => {
    const shape = new Float64Array(season)
    if (!smooth) return shape.map(() => size * draw.heavy(5))
    for (let k = 1; k <= Math.min(3, season / 2); k++) {
      const a = draw.normal() / k
      const b = draw.normal() / k
      for (let j = 0; j < season; j++) {
        const angle = (2 * Math.PI * k * j) / season
        shape[j]! += size * (a * Math.cos(angle) + b * Math.sin(angle))
      }
    }
    return shape
  }
  pattern = waves(1)
  const out = new Float64Array(length)
  for (let t = 0; t < length; t++) {
    if (t > 0 && t % season === 0 && drift > 0) {
      const change = waves(drift)
      pattern = pattern.map((value, j) => value + change[j]!)
    }
    out[t] = pattern[t % season]!
  }
  return out
}

/**
 * Unit noise: normal or heavy-tailed, of a variance that may move, with outliers, dependent. Values
 * of quarters and years are sums of many days, among which a wild one hardly shows: their tails are
 * lighter, and what surprises in them are changes of the trend, which add up instead.
 */
function noiseOf(draw: Draw, length: number, { year }: Shape): Float64Array {
  const wildness = year <= 4 ? 0.4 : 1
  const degrees = draw.chance(0.5 * wildness) ? draw.between(3, 8) : 1e3
  const moving = draw.chance(0.4) ? draw.between(0.05, 0.4) : 0
  const growth = draw.chance(0.2) ? draw.between(-1, 1) / length : 0
  const outliers = draw.chance(0.3 * wildness) ? draw.between(0.005, 0.04) : 0
  const memory = draw.chance(0.4) ? draw.between(-0.4, 0.7) : 0
  const lull = draw.chance(0.1) ? draw.between(0.1, 0.5) : 1
  let logSize = 0
  let before = 0
  return Float64Array.from({ length }, (_, t) => {
    logSize = 0.9 * logSize + moving * draw.normal()
    const size = Math.exp(logSize + growth * t)
    before = memory * before + size * draw.heavy(degrees)
    const wild = draw.chance(outliers) ? 6 * draw.normal() : 0
    return (t % 64 < 48 ? 1 : lull) * before + wild
  })
}

type Draw = ReturnType<typeof makeDraw>

/** Random numbers one after the other, each a function of the seed and its place. */
function makeDraw(seed: number) {
  let step = 0
  const uniform = () => uniformAt(seed, 0, step++)
  const normal = () => normalAt(seed, 1, step++)
  return {
    uniform,
    normal,
    between: (low: number, high: number) => low + (high - low) * uniform(),
    chance: (odds: number) => uniform() < odds,
    /** Student's t, by a normal over the root of a mean of squares. */
    heavy(degrees: number): number {
      if (degrees > 100) return normal()
      const count = Math.max(3, Math.round(degrees))
      let sum = 0
      for (let i = 0; i < count; i++) sum += normal() ** 2
      return (normal() / Math.sqrt(sum / count)) * Math.sqrt((count - 2) / count)
    },
  }
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(-most, value))
}
