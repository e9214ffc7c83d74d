import type { Step, Zone } from './calendar.ts'

/** How often a series is observed, in the words that people use. */
export const frequencies = ['hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'] as const
export type Frequency = (typeof frequencies)[number]

/** Whether a word is one of `frequencies`. */
export function isFrequency(word: unknown): word is Frequency {
  return frequencies.some((known) => known === word)
}

/** The seasons that a frequency can have, in observations, ascending. */
export function seasonsOf(frequency: Frequency): readonly number[] {
  return seasons[frequency]
}

/** The step of a calendar in a zone; without one that is UTC. Hours are all of the same length. */
export function stepOf(frequency: Frequency, zone?: Zone): Step {
  const unit = units[frequency]
  const local = zone === undefined ? {} : { zone }
  return unit === 'hour'
    ? { kind: 'fixed', ms: 3_600_000, ...local }
    : { kind: 'calendar', unit, count: 1, ...local }
}

const seasons: Readonly<Record<Frequency, readonly number[]>> = {
  hourly: [24, 168],
  daily: [7, 365],
  weekly: [52],
  monthly: [12],
  quarterly: [4],
  yearly: [],
}

const units = {
  hourly: 'hour',
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  quarterly: 'quarter',
  yearly: 'year',
} as const
