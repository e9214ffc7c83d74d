import '../../simulation/world/globals.ts'
import { expect, test } from 'vitest'
import { stepsOf, strike } from '../../simulation/every-step.ts'
import { apart } from './apart.ts'

test('the steps reach from the data set over claim, publication and promotion to a rollback', async () => {
  const steps = (await apart(() => stepsOf(1))).map(({ what }) => what)
  const first = (pattern: RegExp) => steps.findIndex((what) => pattern.test(what))
  const order = [
    first(/^store put-chunks/),
    first(/counter .*versions/),
    first(/^txn \/claims\//),
    first(/-\/claims\//),
    first(/nodes.*models/),
    first(/log\/0*1$/),
    first(/log\/0*3$/),
  ]
  expect(order.every((place) => place >= 0)).toBe(true)
  expect([...order].sort((a, b) => a - b)).toEqual(order)
})

test('a node that dies once it has claimed a fit delays it, and no more', async () => {
  const steps = await apart(() => stepsOf(1))
  const claim = steps.find(({ what }) => what.startsWith('txn /claims/'))!
  const { violations, convergedMs } = await apart(() => strike(1, claim, 'dies after'))
  expect(violations).toEqual([])
  expect(convergedMs).toBeLessThanOrEqual(10_000)
})
