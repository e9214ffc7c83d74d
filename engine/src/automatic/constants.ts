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
  short: { level: -0.679, follow: 0.067, length: -0.254, growth: 0.513, degrees: 5.001 },
  brief: { level: -0.275, follow: 0.716, length: -0.018, growth: 0.134, degrees: 3.071 },
  plain: { level: -0.236, follow: 0.984, length: -0.201, growth: 0.149, degrees: 3.451 },
  seasonal: { level: -0.092, follow: 0.982, length: -0.102, growth: 0.035, degrees: 3.089 },
  long: { level: -0.096, follow: 2.266, length: 0, growth: 0.006, degrees: 3.876 },
}

export type Kind = 'short' | 'brief' | 'plain' | 'seasonal' | 'long'
