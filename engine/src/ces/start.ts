import { decompose } from '../theta/seasonal.ts'
import { type Structure, stateSize } from './structure.ts'

/**
 * A rough state before the first value, from which backcasting begins: the mean of the first
 * values, or each value of the first season, and the effects of a classical decomposition.
 */
export function roughStart(y: Float64Array, structure: Structure): Float64Array {
  const { levelLag, seasonLag, seasonWidth } = structure
  const state = new Float64Array(stateSize(structure))
  const level = meanOfFirst(y, Math.max(firstValues, seasonLag))
  for (let i = 0; i < levelLag; i++) {
    const value = levelLag === 1 ? level : firstAt(y, i, levelLag)
    state[2 * i] = value
    state[2 * i + 1] = value / potentialShare
  }
  if (seasonWidth === 0) return state
  const effects = decompose(y, seasonLag, 'additive')?.effects
  for (let i = 0; i < seasonLag; i++) {
    const effect = effects?.[i] ?? 0
    state[2 * levelLag + seasonWidth * i] = effect
    if (seasonWidth === 2) state[2 * levelLag + 2 * i + 1] = effect / potentialShare
  }
  return state
}

const firstValues = 10
/** A constant c has the potential c / α₀; this α₀ is a usual one. */
const potentialShare = 1.1

function meanOfFirst(y: Float64Array, count: number): number {
  let sum = 0
  let seen = 0
  for (let t = 0; t < y.length && seen < count; t++) {
    if (Number.isNaN(y[t]!)) continue
    sum += y[t]!
    seen++
  }
  return sum / seen
}

/** The first value at a step of the season. */
function firstAt(y: Float64Array, at: number, seasonLength: number): number {
  for (let t = at; t < y.length; t += seasonLength) if (!Number.isNaN(y[t]!)) return y[t]!
  return 0
}
