import type { Outcome, Refusal, Series } from '../family.ts'
import type { MemberModel } from '../members.ts'
import { type MstlSpec, memberFamily } from './spec.ts'

/**
 * A fitted model. The seasonal patterns are parameters: the last cycle of each season, which is
 * carried forwards, and backwards where a series is filtered from its beginning. So the state of
 * the member is always that after the series less these patterns. Models are immutable.
 */
export type MstlModel = {
  readonly family: 'mstl'
  readonly spec: MstlSpec
  /** The season lengths that were taken out, ascending. */
  readonly seasons: Int32Array
  /**
   * The pattern of each season, one after another; on the scale of the logarithm if there is one.
   */
  readonly patterns: Float64Array
  /** Where in each season the next value stands. */
  readonly phases: Int32Array
  /** Share of the variance of a value that the patterns have learnt by heart, in [0, 1). */
  readonly leverage: number
  /** Standard deviation of what the decomposition leaves. */
  readonly noise: number
  readonly member: MemberModel
}

/** What a fit settles, and an update keeps. */
export type Patterns = Pick<MstlModel, 'spec' | 'seasons' | 'patterns'>

/** The sum of the patterns over some steps from given phases on. */
export function carriedSeasons(
  { seasons, patterns }: Pick<MstlModel, 'seasons' | 'patterns'>,
  phases: ArrayLike<number>,
  steps: number,
): Float64Array {
  const sum = new Float64Array(steps)
  for (let i = 0; i < seasons.length; i++) addPattern({ seasons, patterns }, phases, i, sum)
  return sum
}

/** One of the patterns over some steps from given phases on. */
export function carriedSeason(
  model: Pick<MstlModel, 'seasons' | 'patterns'>,
  phases: ArrayLike<number>,
  rank: number,
  steps: number,
): Float64Array {
  const sum = new Float64Array(steps)
  addPattern(model, phases, rank, sum)
  return sum
}

/** The phases some steps later. */
function movedPhases(seasons: Int32Array, phases: ArrayLike<number>, steps: number): Int32Array {
  return seasons.map((period, i) => (phases[i]! + steps) % period)
}

/** What the member sees of a series that stands at given phases: without seasons of its own. */
export function memberSeries(model: Patterns, phases: ArrayLike<number>, series: Series): Series {
  const sum = carriedSeasons(model, phases, series.y.length)
  const transformed = transform(series.y, model.spec)
  return adjustedSeries(
    series,
    transformed.map((value, t) => value - sum[t]!),
  )
}

/** The series with values that have no seasons. */
export function adjustedSeries({ calendar, key }: Series, y: Float64Array): Series {
  return {
    y,
    seasons: [],
    ...(calendar === undefined ? {} : { calendar }),
    ...(key === undefined ? {} : { key }),
  }
}

export function transform(y: Float64Array, { boxCox }: MstlSpec): Float64Array {
  return boxCox === 'log' ? y.map(Math.log) : y
}

/** The first value without a logarithm, when one is asked for. */
export function logFault(y: Float64Array, { boxCox }: MstlSpec): Refusal | undefined {
  if (boxCox !== 'log') return undefined
  const at = y.findIndex((value) => value <= 0)
  if (at < 0) return undefined
  return {
    code: 'not-positive',
    detail: `Observation ${at} is ${y[at]}; a logarithm needs values above zero.`,
    field: `/y/${at}`,
    remedy: 'Leave boxCox out of the spec.',
  }
}

/** The model after newer values of its series; its parameters stay. */
export function continueMstl(model: MstlModel, newer: Series): Outcome<MstlModel> {
  const moved = memberFamily(model.member).update(
    model.member,
    memberSeries(model, model.phases, newer),
  )
  if (moved.kind === 'refused') return moved
  const phases = movedPhases(model.seasons, model.phases, newer.y.length)
  return { ...moved, value: { ...model, phases, member: moved.value } }
}

/** The model with the same parameters at the end of a series, taken from its beginning. */
export function filterMstl(model: MstlModel, series: Series): Outcome<MstlModel> {
  const begun = new Int32Array(model.seasons.length)
  const moved = memberFamily(model.member).filter(model.member, memberSeries(model, begun, series))
  if (moved.kind === 'refused') return moved
  const phases = movedPhases(model.seasons, begun, series.y.length)
  return { ...moved, value: { ...model, phases, member: moved.value } }
}

function addPattern(
  { seasons, patterns }: Pick<MstlModel, 'seasons' | 'patterns'>,
  phases: ArrayLike<number>,
  rank: number,
  sum: Float64Array,
): void {
  const period = seasons[rank]!
  let from = 0
  for (let i = 0; i < rank; i++) from += seasons[i]!
  let phase = phases[rank]!
  for (let t = 0; t < sum.length; t++) {
    sum[t]! += patterns[from + phase]!
    phase = phase + 1 === period ? 0 : phase + 1
  }
}
