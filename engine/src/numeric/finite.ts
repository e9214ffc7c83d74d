/** Whether all are numbers. `every` would put each of them into an object of its own. */
export function areFinite(...rows: readonly Float64Array[]): boolean {
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) if (!Number.isFinite(row[i]!)) return false
  }
  return true
}
