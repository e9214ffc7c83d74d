import { expect, test } from 'vitest'
import { type Column, decodeContainer, encodeContainer } from '../../src/codec/container.ts'
import { decodeModel, encodeModel, fitModel, parseSpec } from '../../src/index.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { readGolden } from '../golden.ts'
import { airPassengers } from '../series/sample-series.ts'
import { expectGolden, expectHostileBytesHarmless } from './stored.ts'

test('a model of format 1 is read, written as it was, and forecasts what it did', () => {
  expect(expectGolden('mstl-1')).toMatchObject({
    spec: { boxCox: 'log', robust: true, member: { family: 'baseline', window: 5 } },
    seasons: Int32Array.of(4, 12),
    phases: Int32Array.of(3, 3),
  })
})

test('a model with any byte changed under a right checksum works, or is refused', () => {
  expectHostileBytesHarmless(readGolden('mstl-1.bin'))
})

test('a model that is read is the one that was written, its member of whatever family', () => {
  for (const member of [undefined, { family: 'theta' }, { family: 'baseline', method: 'drift' }]) {
    const spec = doneValue(parseSpec({ family: 'mstl', ...(member && { member }) }))
    const series = { y: airPassengers, seasons: [12] }
    const model = doneValue(fitModel(series, spec, { seed: 1, workMax: 1e9 }))
    expect(doneValue(decodeModel(encodeModel(model)))).toEqual(model)
  }
})

test.each<[string, string, Column]>([
  ['a season of one', 'seasons', Int32Array.of(1, 12)],
  ['seasons that descend', 'seasons', Int32Array.of(12, 4)],
  ['seasons that its patterns do not cover', 'seasons', Int32Array.of(4, 13)],
  ['more seasons than a series has', 'seasons', Int32Array.of(2, 3, 4, 5, 6)],
  ['a phase beyond its season', 'phases', Int32Array.of(4, 3)],
  ['a negative phase', 'phases', Int32Array.of(-1, 3)],
  ['a pattern that is no number', 'patterns', new Float64Array(16).fill(Number.NaN)],
  ['a leverage of one', 'scalars', Float64Array.of(1, 0)],
  ['a negative noise', 'scalars', Float64Array.of(0.1, -1)],
  ['a member that is text', 'member', 'baseline'],
  ['a member that is nothing', 'member', new Uint8Array(0)],
  ['a member of its own family', 'member', Uint8Array.from(readGolden('mstl-1.bin'))],
  ['a spec of another family', 'spec', '{"family":"ets"}'],
  ['an array beyond those known', 'more', ''],
])('a model with %s is refused under a right checksum', (_, name, column) => {
  const container = doneValue(decodeContainer(readGolden('mstl-1.bin')))
  const columns = new Map([...container.columns, [name, column]])
  const changed = encodeContainer({ ...container, columns })
  expect(refusalOf(decodeModel(changed)).code).toBe('bad-format')
})
