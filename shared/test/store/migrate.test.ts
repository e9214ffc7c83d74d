import { expect, test } from 'vitest'
import { refusesConditions } from '../../src/store/cql/migrate.ts'

test('only a database without conditional writes is migrated without a claim', () => {
  const refusal =
    'Cannot use LightWeight Transactions for table almanac.schema_claims: ' +
    'LWT is not yet supported with tablets'
  expect(refusesConditions(new Error(refusal))).toBe(true)
  expect(refusesConditions(new Error('Operation timed out - received only 0 responses.'))).toBe(
    false,
  )
  expect(refusesConditions(refusal)).toBe(false)
})
