import { expect, test } from 'vitest'
import { operationsOf } from '../../history/operations.ts'
import { checkHistory } from '../../linearizability/check.ts'
import { entry, fitted, goodStory, unknown } from '../invariants/story.ts'

test('a good history is linearizable, and not when the records say that a hold is lost', async () => {
  const { entries, records } = goodStory()
  expect(await checkHistory(operationsOf(entries, records))).toMatchObject({ verdict: 'ok' })
  const held = records.models.map((model) => ({ ...model, hold: !model.hold }))
  const twisted = operationsOf(entries, { ...records, models: held })
  expect(await checkHistory(twisted)).toMatchObject({ verdict: 'illegal' })
})

test('what an unanswered try made serve has not served before it was asked for', async () => {
  const { records } = goodStory()
  const careful = { key: 'k' }
  const entries = [
    { ...fitted([0, 10], 1, careful), outcome: unknown },
    entry([11, 12], { kind: 'look', model: 'm' }, { version: 1, changes: 1 }),
    fitted([20, 30], 1, careful),
  ]
  const log = [{ n: 1, from: null, to: 1, why: 'fit' }]
  const models = [{ model: 'm', serving: 1, target: 1, hold: false }]
  const operations = operationsOf(entries, { ...records, models, logs: new Map([['m', log]]) })
  expect(await checkHistory(operations)).toMatchObject({ verdict: 'ok' })
})
