import {
  encodeModel,
  fitModel,
  forecastModel,
  parseSpec,
  type Series,
} from '../../engine/src/index.ts'
import { type Judge, judge, probabilities, type Scored } from './scoring.ts'
import { trainSeries } from './splits.ts'

/** The points of likelihoods that one fit may visit: far above what any plain series needs. */
export const workMax = 1e9

/** What was not forecast, and why. */
export type Failure = { readonly id: string; readonly fault: string }

/** Fits and forecasts each split with one of our specs through the public interface. */
export function forecastSplits(
  spec: unknown,
  judges: readonly Judge[],
  onSplit: (done: number) => void = () => {},
): { readonly scored: Scored[]; readonly failures: Failure[]; readonly bytesMax: number } {
  const scored: Scored[] = []
  const failures: Failure[] = []
  let bytesMax = 0
  for (const [at, split] of judges.entries()) {
    const series = trainSeries(split.split)
    const before = process.cpuUsage()
    const made = forecastOnce(spec, series, split.split.horizon)
    const { user, system } = process.cpuUsage(before)
    if ('fault' in made) failures.push({ id: split.split.id, fault: made.fault })
    else {
      const scores = judge(split, made)
      scored.push({ split, scores, cpuSeconds: (user + system) / 1e6 })
      bytesMax = Math.max(bytesMax, made.bytes)
    }
    onSplit(at + 1)
  }
  return { scored, failures, bytesMax }
}

type Made = { point: Float64Array; quantiles: Float64Array; bytes: number }

function forecastOnce(spec: unknown, series: Series, horizon: number): Made | { fault: string } {
  try {
    const parsed = parseSpec(spec)
    if (parsed.kind === 'refused')
      return { fault: `${parsed.reason.code}: ${parsed.reason.detail}` }
    const run = { seed: 1, workMax }
    const model = fitModel(series, parsed.value, run)
    if (model.kind === 'refused') return { fault: model.reason.code }
    const forecast = forecastModel(model.value, { horizon, quantiles: probabilities }, run)
    if (forecast.kind === 'refused') return { fault: forecast.reason.code }
    const { point, quantiles } = forecast.value
    const finite = point.every(Number.isFinite) && quantiles.every(Number.isFinite)
    if (!finite) return { fault: 'not finite' }
    return { point, quantiles, bytes: encodeModel(model.value).length }
  } catch (error) {
    return { fault: `threw ${error instanceof Error ? error.message : String(error)}` }
  }
}
