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
  short: { level: 0.265, follow: 1.742, length: 0.172, growth: 0.335, degrees: 4.902 },
  plain: { level: -0.318, follow: 0.927, length: -0.372, growth: 0.137, degrees: 3.484 },
  seasonal: { level: -0.126, follow: 0.94, length: -0.087, growth: 0.065, degrees: 3.495 },
  long: { level: 1.231, follow: 1.831, length: -0.73, growth: -0.039, degrees: 5.029 },
}

export type Kind = 'short' | 'plain' | 'seasonal' | 'long'
