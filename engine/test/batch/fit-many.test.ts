import { expect, test } from 'vitest'
import { encodeModel, fitMany, fitModel, parseSpec, type Series } from '../../src/index.ts'
import { seedOfKey } from '../../src/numeric/random.ts'
import { doneValue } from '../expect-done.ts'
import { autoregression, mixedBatch } from './batches.ts'

const run = { seed: 5, workMax: 1e8 }

test('a batch gives the outcomes of its series, in their order', () => {
  const batch = mixedBatch(1, 24)
  const spec = doneValue(parseSpec(autoregression))
  const outcomes = [...fitMany(batch, autoregression, run)]
  expect(outcomes).toHaveLength(24)
  for (const [i, outcome] of outcomes.entries()) {
    const own = { ...run, seed: seedOfKey(5, `series ${i}`) }
    expect(outcome).toEqual(fitModel(batch[i]!, spec, own))
  }
})

test('one bad series sinks no other', () => {
  const broken = { y: 'no numbers', key: 'broken' } as unknown as Series
  const [first, , last] = mixedBatch(2, 3)
  const kinds = [...fitMany([first!, broken, last!], autoregression, run)].map(({ kind }) => kind)
  expect(kinds).toEqual(['done', 'refused', 'done'])
})

test('a series is fitted when its outcome is asked for, and not before', () => {
  let asked = 0
  function* endless() {
    for (;;) {
      asked++
      yield mixedBatch(3, 1)[0]!
    }
  }
  const outcomes = fitMany(endless(), autoregression, run)
  expect(asked).toBe(0)
  expect(outcomes.next().value).toMatchObject({ kind: 'done' })
  outcomes.next()
  expect(asked).toBe(2)
})

test('a key gives a series the same model in any batch', () => {
  const batch = mixedBatch(4, 3)
  const bytes = (series: readonly Series[]) =>
    [...fitMany(series, autoregression, run)].map((outcome) => encodeModel(doneValue(outcome)))
  expect(bytes(batch.toReversed()).toReversed()).toEqual(bytes(batch))
})

test('a spec that is refused is refused for every series', () => {
  const outcomes = [...fitMany(mixedBatch(5, 3), { family: 'none' }, run)]
  expect(outcomes).toHaveLength(3)
  for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { field: '/family' } })
})

test('a batch that is asked to stop ends every fit at once', () => {
  const stopped = [...fitMany(mixedBatch(6, 3), autoregression, { ...run, shouldStop: () => true })]
  expect(stopped.map(({ kind }) => kind)).toEqual(['stopped', 'stopped', 'stopped'])
})
