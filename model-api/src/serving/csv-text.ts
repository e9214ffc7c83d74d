import type { Computed } from './forecasts.ts'
import type { Question } from './question.ts'

/**
 * The rows of one series, as `series,step[,timestamp],forecast[,lower_80,upper_80…]`, intervals in
 * the order of their levels.
 */
export function csvRows(
  series: string,
  { forecast: { point, quantiles } }: Computed,
  { horizon, levels }: Pick<Question, 'horizon' | 'levels'>,
  times: readonly string[] | undefined,
): string {
  const cell = csvCell(series)
  const width = 2 * levels.length
  let rows = ''
  for (let step = 0; step < horizon; step++) {
    rows += `${cell},${step + 1}`
    if (times) rows += `,${times[step]}`
    rows += `,${point[step]}`
    for (let i = 0; i < levels.length; i++) {
      const lower = quantiles[step * width + levels.length - 1 - i]
      rows += `,${lower},${quantiles[step * width + levels.length + i]}`
    }
    rows += '\n'
  }
  return rows
}

/** The one row of a series that has no forecast: its key, and nothing else. */
export function csvGap(
  series: string,
  { levels, timestamps }: Pick<Question, 'levels' | 'timestamps'>,
): string {
  return `${csvCell(series)}${','.repeat(2 + (timestamps ? 1 : 0) + 2 * levels.length)}\n`
}

/** Spreadsheets take what begins like a formula for one: an apostrophe says that it is text. */
function csvCell(text: string): string {
  const shown = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown
}
