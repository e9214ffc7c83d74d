import type { Recipe } from '../recipe/recipe.ts'
import type { CleanSeries } from '../series/clean.ts'
import { startOfPeriod } from '../series/periods.ts'
import { partsOfKey } from '../sql/keys.ts'
import { makeCsvWriter } from './csv-writer.ts'
import type { KeyedSeries } from './series-stream.ts'

export type CleanFile = {
  readonly write: (series: KeyedSeries, clean: CleanSeries) => void
  readonly close: () => void
}

/** The table after all steps, as CSV: a row for each period of each series, features and all. */
export function makeCleanFile(
  file: string | null,
  recipe: Recipe,
  reader: 'people' | 'machine',
): CleanFile {
  if (file === null) return { write: () => {}, close: () => {} }
  const { keys, time, target, features, frequency } = recipe
  const names = features.map(({ column }) => column)
  const writer = makeCsvWriter(file, [...keys, time.column, target, ...names], reader)
  return {
    write: ({ key, periods, features: known }, { firstPeriod, y }) => {
      const parts = partsOfKey(key).map(([, value]) => value)
      let next = 0
      for (const [i, value] of y.entries()) {
        const period = firstPeriod + i
        const isKnown = periods[next] === period
        const values = isKnown ? known[next] : undefined
        if (isKnown) next += 1
        writer.row([
          ...parts,
          startOfPeriod(frequency, period),
          value,
          ...(values ?? names.map(noValue)),
        ])
      }
    },
    close: writer.close,
  }
}

const noValue = () => null
