/**
 * What the widths of automatic forecasts are made of, learned from generated series alone:
 *
 *     node bench/engine/learn.ts --frequency yearly --count 500   (short, brief, plain)
 *     node bench/engine/learn.ts                                  (seasonal, long)
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
  short: { level: 0.005, follow: 0, length: 0.063, growth: 0.395, degrees: 2.81 },
  brief: { level: -0.581, follow: 0.625, length: -0.309, growth: 0.178, degrees: 2.867 },
  plain: { level: -0.2, follow: 1.094, length: -0.032, growth: 0.068, degrees: 3.036 },
  seasonal: { level: -0.119, follow: 0.812, length: -0.104, growth: 0.032, degrees: 2.929 },
  long: { level: 0.073, follow: 2.571, length: 0, growth: -0.021, degrees: 4.766 },
}

export type Kind = 'short' | 'brief' | 'plain' | 'seasonal' | 'long'
