/**
 * What the widths of automatic forecasts are made of, learned from generated series alone:
 *
 *     node bench/engine/learn.ts --frequency yearly --count 800   (short, brief, plain)
 *     node bench/engine/learn.ts --frequency quarterly,monthly,daily --count 400   (seasonal)
 *     node bench/engine/learn.ts --frequency weekly,hourly,"daily for years" --count 300   (long)
 *
 * The scale at step h (from 1) is exp(level + follow · w · log(s) + length · log(n / 50)) ·
 * h^growth with s the scale that rolling origins show and w = m / (m + patience) their weight, m
 * scores.
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
  short: { level: -0.414, follow: 0, length: -0.242, growth: 0.435, degrees: 3.29 },
  brief: { level: -0.301, follow: 0.43, length: -0.105, growth: 0.191, degrees: 3.333 },
  plain: { level: -0.161, follow: 1.177, length: -0.02, growth: 0.008, degrees: 2.982 },
  seasonal: { level: -0.128, follow: 1.053, length: -0.123, growth: 0.082, degrees: 2.956 },
  long: { level: -0.258, follow: 2.233, length: 0, growth: 0.059, degrees: 3.26 },
}

export type Kind = 'short' | 'brief' | 'plain' | 'seasonal' | 'long'
