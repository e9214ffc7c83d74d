import { decodeModel, describedSeries, encodeModel, fitModel, parseSpec } from '@almanac/engine'
import { expect, test } from 'vitest'
import { smallSeries } from '../../../e2e/support/data.ts'
import { padded } from '../../large/padding.ts'

test('a padded model is as large as asked for, and one that is read like any other', () => {
  const spec = parseSpec({ family: 'automatic' })
  if (spec.kind === 'refused') throw new Error(spec.reason.detail)
  const series = describedSeries({ y: smallSeries(5, 200), start: null, frequency: null })
  const fitted = fitModel(series, spec.value, { seed: 1, workMax: 1e9 })
  if (fitted.kind === 'refused') throw new Error(fitted.reason.detail)
  const bytes = encodeModel(padded(fitted.value, 3))
  expect(bytes.byteLength).toBeGreaterThan(3_000_000)
  expect(bytes.byteLength).toBeLessThan(3_100_000)
  expect(decodeModel(bytes).kind).toBe('done')
})
