import type { AdditiveModel } from '../../src/additive/model.ts'
import type { Series } from '../../src/index.ts'

/** All parameters of a regression in scaled units: rate, offset, changes, columns, noise. */
export type Plain = {
  readonly k: number
  readonly m: number
  readonly deltas: readonly number[]
  readonly betas: readonly number[]
  readonly changepoints: readonly number[]
  readonly sigma: number
}

export function plainOf({ trend, betas, sigma }: AdditiveModel): Plain {
  const { k, m, deltas, changepoints } = trend
  const lists = { deltas: [...deltas], changepoints: [...changepoints], betas: [...betas] }
  return { k, m, sigma, ...lists }
}

export type Settings = {
  /** Fourier pairs of 365.25 and of 7 days. */
  readonly yearly: number
  readonly weekly: number
  readonly multiplicative?: boolean
  readonly capacity?: number
  readonly floor?: number
  /** Columns after the seasons: one value for each day. */
  readonly more?: readonly (readonly number[])[]
}

/**
 * Fits and log posterior density, written from the paper without anything of the engine's: dates by
 * the runtime, one row at a time, Prophet's offsets γ in the logistic trend.
 */
export function dense(series: Series, settings: Settings, parameters: Plain) {
  const { y } = series
  const { start } = series.calendar!
  const { k, m, deltas, betas, changepoints, sigma } = parameters
  const { yearly, weekly, multiplicative = false, capacity, floor = 0, more = [] } = settings
  const observed = [...y.keys()].filter((t) => !Number.isNaN(y[t]!))
  const scale = Math.max(...observed.map((t) => Math.abs(y[t]! - floor)))
  const first = observed[0]!
  const span = observed.at(-1)! - first
  const gammas: number[] = []
  let rate = k
  let offset = m
  for (const [j, s] of changepoints.entries()) {
    gammas.push((s - offset) * (1 - rate / (rate + deltas[j]!)))
    rate += deltas[j]!
    offset += gammas[j]!
  }
  const fitAt = (t: number): number => {
    const days = start / 86_400_000 + t
    const time = (t - first) / span
    const row = [
      ...fourier(days, 365.25, yearly),
      ...fourier(days, 7, weekly),
      ...more.map((column) => column[t]!),
    ]
    const effect = row.reduce((sum, value, j) => sum + value * betas[j]!, 0)
    const passed = (list: readonly number[]) =>
      list.reduce((sum, value, j) => sum + (changepoints[j]! <= time ? value : 0), 0)
    const slope = k + passed(deltas)
    let trend = slope * time + m - passed(deltas.map((delta, j) => delta * changepoints[j]!))
    if (capacity !== undefined) {
      const top = (capacity - floor) / scale
      trend = top / (1 + Math.exp(-slope * (time - m - passed(gammas))))
    }
    return multiplicative ? trend * (1 + effect) : trend + effect
  }
  let density = -2 * sigma * sigma - (k * k + m * m) / 50
  for (const delta of deltas) density -= Math.abs(delta) / 0.05
  for (const beta of betas) density -= (beta * beta) / 200
  for (const t of observed) {
    const residual = (y[t]! - floor) / scale - fitAt(t)
    density -= Math.log(sigma) + (residual * residual) / (2 * sigma * sigma)
  }
  return { density, valueAt: (t: number) => floor + scale * fitAt(t) }
}

function fourier(days: number, period: number, order: number): number[] {
  return Array.from({ length: order }, (_, i) => (2 * Math.PI * (i + 1) * days) / period).flatMap(
    (angle) => [Math.sin(angle), Math.cos(angle)],
  )
}
