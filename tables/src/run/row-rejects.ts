import type { Recipe } from '../recipe/recipe.ts'
import { startOfPeriod } from '../series/periods.ts'
import type { Plan } from '../sql/plan.ts'
import type { ChangeQuery } from '../sql/series.ts'
import type { Database } from './database.ts'
import type { Rejects } from './rejects.ts'

/** Writes the rows that the rules of the plan left out, in the order of the file. */
export async function writeLeftOut(db: Database, plan: Plan, rejects: Rejects): Promise<void> {
  const query =
    'SELECT CAST(line AS DOUBLE), CAST(verdict AS INTEGER), row_text ' +
    'FROM accepted WHERE verdict > 0 ORDER BY line'
  for await (const chunk of db.chunks(query)) {
    for (const [line, verdict, row] of chunk.getRows()) {
      const { step, column, reason, outcome } = plan.rules[Number(verdict) - 1]!
      rejects.write({ step, column, reason, outcome, line: Number(line), row: String(row) })
    }
  }
}

/** Writes the rows that count no more, or not as they were. */
export async function writeChanged(
  db: Database,
  { step, reason, outcome, query }: ChangeQuery,
  { frequency, target: column }: Recipe,
  rejects: Rejects,
): Promise<void> {
  const selected =
    'SELECT CAST(line AS DOUBLE), series_key, CAST(period AS INTEGER), value ' +
    `FROM (${query}) changed ORDER BY line`
  for await (const chunk of db.chunks(selected)) {
    for (const [line, key, period, value] of chunk.getRows()) {
      const time = startOfPeriod(frequency, Number(period))
      const before = value === null ? null : Number(value)
      const row = { step, column, reason, outcome, line: Number(line), key: String(key) }
      rejects.write({ ...row, time, before })
    }
  }
}
