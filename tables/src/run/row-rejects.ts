import type { Recipe } from '../recipe/recipe.ts'
import { startOfPeriod } from '../series/periods.ts'
import type { Plan } from '../sql/plan.ts'
import type { ChangeQuery } from '../sql/series.ts'
import type { Engine } from './engine.ts'
import type { Rejects } from './rejects.ts'

/** Writes the rows that the rules of the plan left out, in the order of the file. */
export async function writeLeftOut(db: Engine, plan: Plan, rejects: Rejects): Promise<void> {
  const batches = db.sorted({
    select: 'CAST(line AS DOUBLE), CAST(verdict AS INTEGER), row_text',
    from: '(SELECT line, verdict, row_text FROM accepted WHERE verdict > 0) left_out',
    by: 'line',
    rowBytes: '32 + LENGTH(row_text)',
  })
  for await (const { rowCount, columns } of batches) {
    const [lines, verdicts, texts] = columns
    for (let i = 0; i < rowCount; i++) {
      const { step, column, reason, outcome } = plan.rules[Number(verdicts!(i)) - 1]!
      const row = String(texts!(i))
      rejects.write({ step, column, reason, outcome, line: Number(lines!(i)), row })
    }
  }
}

/** Writes the rows that count no more, or not as they were. */
export async function writeChanged(
  db: Engine,
  { step, reason, outcome, query }: ChangeQuery,
  { frequency, target: column }: Recipe,
  rejects: Rejects,
): Promise<void> {
  const batches = db.sorted({
    select: 'CAST(line AS DOUBLE), series_key, CAST(period AS INTEGER), value',
    from: `(${query}) changed`,
    by: 'line',
    rowBytes: '32 + LENGTH(series_key)',
  })
  for await (const { rowCount, columns } of batches) {
    const [lines, keys, periods, values] = columns
    for (let i = 0; i < rowCount; i++) {
      const time = startOfPeriod(frequency, Number(periods!(i)))
      const value = values!(i)
      const before = value === null ? null : Number(value)
      const row = { step, column, reason, outcome, line: Number(lines!(i)), key: String(keys!(i)) }
      rejects.write({ ...row, time, before })
    }
  }
}
