export type Cell = string | number | null | undefined

/**
 * A cell of CSV. Spreadsheets take what begins like a formula for one: an apostrophe says that it
 * is text.
 */
export function cellForPeople(value: Cell): string {
  return plainCell(typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value)
}

/** The same, as it is. */
export function plainCell(value: Cell): string {
  if (value === undefined || value === null || Number.isNaN(value)) return ''
  if (typeof value === 'number') return String(value)
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}
