import type { Frequency } from '@almanac/engine'

/** When a period begins, ISO 8601, from the number that the recipe's SQL gave it. */
export function startOfPeriod(frequency: Frequency, period: number): string {
  switch (frequency) {
    case 'hourly':
      return `${new Date(period * hourMs).toISOString().slice(0, 19)}Z`
    case 'daily':
      return dateOf(new Date(period * dayMs))
    case 'weekly':
      // Week 0 is that of Thursday the first of January 1970; weeks begin on Mondays.
      return dateOf(new Date((period * 7 - 3) * dayMs))
    case 'monthly':
      return ofMonth(period)
    case 'quarterly':
      return ofMonth(3 * period)
    case 'yearly':
      return ofMonth(12 * period)
  }
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

const dateOf = (date: Date) => date.toISOString().slice(0, 10)

function ofMonth(months: number): string {
  const year = String(Math.floor(months / 12)).padStart(4, '0')
  return `${year}-${String((months % 12) + 1).padStart(2, '0')}-01`
}
