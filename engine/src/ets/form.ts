import type { Series } from '../family.ts'
import { limits } from '../limits.ts'
import type { EtsSpec } from './spec.ts'

/** One model of the taxonomy: additive or multiplicative, with or without trend and season. */
export type Form = {
  readonly error: 'A' | 'M'
  readonly trend: 'N' | 'A'
  readonly damped: boolean
  readonly season: 'N' | 'A' | 'M'
  /** 1 without a season. */
  readonly seasonLength: number
}

/** As the literature writes it: ETS(M,Ad,M). */
export function formName({ error, trend, damped, season }: Form): string {
  return `ETS(${error},${trend}${damped ? 'd' : ''},${season})`
}

/** Smoothing parameters and initial states that are free; the variance of the error not counted. */
export function parameterCount({ trend, damped, season, seasonLength }: Form): number {
  return 2 + (trend === 'A' ? 2 : 0) + (damped ? 1 : 0) + (season === 'N' ? 0 : seasonLength)
}

/** Whether a form is only defined for values above zero. */
export function needsPositive({ error, season }: Form): boolean {
  return error === 'M' || season === 'M'
}

/** The season length of a spec for a series: what was asked for, else the series' shortest. */
export function seasonLengthOf(spec: EtsSpec, series: Series): number {
  return spec.seasonLength ?? series.seasons?.[0] ?? 1
}

/** Whether a season was left to the criterion, but is too long for one state per observation. */
export function skipsSeason(spec: EtsSpec, seasonLength: number): boolean {
  return spec.season === null && seasonLength > limits.etsAutomaticSeasonMax
}

/**
 * The stable forms that a spec admits, the simplest first. An additive error with a multiplicative
 * season is left out: its variance is infinite (HKOS 2008, section 15.2).
 */
export function formsOf(spec: EtsSpec, seasonLength: number): readonly Form[] {
  const forms: Form[] = []
  const seasonal = seasonLength > 1 && !skipsSeason(spec, seasonLength)
  for (const season of ['N', 'A', 'M'] as const) {
    if (spec.season === null ? season !== 'N' && !seasonal : spec.season !== season) continue
    for (const trend of ['N', 'A', 'Ad'] as const) {
      if (spec.trend !== null && spec.trend !== trend[0]) continue
      if (spec.damped !== null && trend !== 'N' && spec.damped !== (trend === 'Ad')) continue
      // Without a word on the trend, a damped one is asked for.
      if (spec.damped === true && trend === 'N') continue
      for (const error of ['A', 'M'] as const) {
        if (spec.error !== null && spec.error !== error) continue
        if (error === 'A' && season === 'M') continue
        forms.push({
          error,
          trend: trend === 'N' ? 'N' : 'A',
          damped: trend === 'Ad',
          season,
          seasonLength: season === 'N' ? 1 : seasonLength,
        })
      }
    }
  }
  return forms
}
