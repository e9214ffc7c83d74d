/**
 * What the widths of automatic forecasts are made of, learned from generated series alone:
 *
 *     node bench/engine/learn.ts
 *
 * The scale at step h (from 1) is exp(level + follow · w · log(s) + length · log(n / 50)) · h^growth
 * with s the scale that rolling origins show and w = m / (m + patience) their weight, m scores.
 */
export type Widening = {
  readonly level: number
  readonly follow: number
  readonly length: number
  readonly growth: number
  readonly degrees: number
}

export const patience = 12
/** Members' disagreement, in standard deviations of the forecast. */
export const disagreementShare = 1

export const widenings: Readonly<Record<Kind, Widening>> = {
  short: { level: 0.5, follow: 0.5, length: 0, growth: 0.1, degrees: 4 },
  plain: { level: 0.25, follow: 0.6, length: 0, growth: 0.1, degrees: 6 },
  seasonal: { level: 0.15, follow: 0.7, length: 0, growth: 0.05, degrees: 6 },
  long: { level: 0.1, follow: 0.8, length: 0, growth: 0, degrees: 8 },
}

export type Kind = 'short' | 'plain' | 'seasonal' | 'long'
