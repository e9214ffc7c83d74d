import {
  errorScale,
  type Scale,
  type Scores,
  scoreForecast,
} from '../../engine/src/evaluate/metrics.ts'
import { naive2, seasonalNaive } from './benchmarks.ts'
import { type PeerResult, type Split, testValues } from './splits.ts'

/** The quantiles that are scored; the point forecast stands for the median. */
export const probabilities = Float64Array.of(0.025, 0.1, 0.5, 0.9, 0.975)

/** One model's scores on one split. */
export type Scored = { readonly split: Judge; readonly scores: Scores; readonly cpuSeconds: number }

/** A split with all that its scores are relative to. */
export type Judge = {
  readonly split: Split
  readonly actual: Float64Array
  readonly scale: Scale
  /** MASE of repeating the last season. */
  readonly seasonalNaiveMase: number
  readonly naive2: Pick<Scores, 'mase' | 'smape'>
}

/** Judges of the splits that have a scale; a constant series has none. */
export function judgesOf(splits: readonly Split[]): Judge[] {
  return splits.flatMap((split) => {
    const train = Float64Array.from(split.train)
    const scale = errorScale(train, split.season)
    if (!(scale.absolute > 0)) return []
    const actual = testValues(split)
    const plain = (point: Float64Array) => {
      const quantiles = new Float64Array(0)
      return scoreForecast(actual, { point, quantiles }, new Float64Array(0), scale)
    }
    return {
      split,
      actual,
      scale,
      seasonalNaiveMase: plain(seasonalNaive(train, split.season, split.horizon)).mase,
      naive2: plain(naive2(train, split.season, split.horizon)),
    }
  })
}

/** @param quantiles horizon × `probabilities`; the point forecast replaces the median. */
export function judge(
  split: Judge,
  forecast: { readonly point: Float64Array; readonly quantiles: Float64Array },
): Scores {
  const quantiles = forecast.quantiles.slice()
  const middle = probabilities.indexOf(0.5)
  forecast.point.forEach((value, h) => {
    quantiles[h * probabilities.length + middle] = value
  })
  return scoreForecast(
    split.actual,
    { point: forecast.point, quantiles },
    probabilities,
    split.scale,
  )
}

/** A peer's scores, or why there are none. */
export function judgePeer(split: Judge, result: PeerResult): Scores | { readonly fault: string } {
  const { point, lower, upper, status } = result
  if (status !== 'ok') return { fault: status }
  const bounds = [lower?.['95'], lower?.['80'], point, upper?.['80'], upper?.['95']]
  const quantiles = new Float64Array(split.split.horizon * probabilities.length)
  for (const [i, values] of bounds.entries()) {
    for (let h = 0; h < split.split.horizon; h++) {
      const value = values?.[h]
      if (typeof value !== 'number' || !Number.isFinite(value)) return { fault: 'not finite' }
      quantiles[h * probabilities.length + i] = value
    }
  }
  return judge(split, { point: Float64Array.from(point ?? []), quantiles })
}
