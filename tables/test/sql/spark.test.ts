import { expect, test } from 'vitest'
import { parseRecipe } from '../../src/recipe/parse.ts'
import { spark } from '../../src/sql/dialect.ts'
import { planOf } from '../../src/sql/plan.ts'
import { seriesQueryOf } from '../../src/sql/series.ts'

test('a recipe for Spark is written in its own words', () => {
  const parsed = parseRecipe({
    source: { format: 'csv', delimiter: ';', decimal: ',', missing: ["it's"] },
    time: { column: 'am', format: '%d.%m.%Y %H:%M', zone: 'Europe/Berlin' },
    target: 'Menge',
    keys: ['Markt'],
    steps: [{ do: 'filter', column: 'Art', is: 'in', values: ['a\\b'] }],
    frequency: 'hourly',
    duplicates: 'last',
    stockOuts: { column: 'leer' },
  })
  if (parsed.kind === 'refused') throw new Error(JSON.stringify(parsed.faults))
  const columns = ['am', 'Markt', 'Menge', 'Art', 'leer']
  const plan = planOf(parsed.value, columns, spark)
  if (plan.kind === 'refused') throw new Error(JSON.stringify(plan.faults))
  const query = seriesQueryOf(parsed.value)
  const statements = [
    plan.value.accepted,
    query.doubled,
    query.series,
    query.observations,
    ...query.changes.map((change) => change.query),
  ]
  expect(`${statements.join(';\n\n')};\n`).toMatchSnapshot()
})
