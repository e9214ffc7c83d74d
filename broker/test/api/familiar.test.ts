import { Doorkeeper } from '@almanac/shared'
import { expect, test } from 'vitest'
import { createFamiliar } from '../../src/api/familiar.ts'

const bounds = { entriesMax: 4, charactersMax: 3 }

test('what is asked for stays, and the rest is forgotten', () => {
  const familiar = createFamiliar<number>(bounds)
  for (let n = 0; n < 20; n++) {
    familiar.set(`${n}`, n)
    expect(familiar.get('0')).toBe(0)
    expect(familiar.count()).toBeLessThanOrEqual(bounds.entriesMax)
  }
  expect(familiar.get('9')).toBeUndefined()
})

test('with a doorkeeper a text is strange until it was set a second time', () => {
  const familiar = createFamiliar<number>(bounds, new Doorkeeper(1_024))
  familiar.set('a', 1)
  expect([familiar.get('a'), familiar.count()]).toEqual([undefined, 0])
  familiar.set('a', 2)
  expect(familiar.get('a')).toBe(2)
})

test('nothing is kept of a text that is too long, or where there is no room', () => {
  const familiar = createFamiliar<number>(bounds)
  familiar.set('long', 1)
  const none = createFamiliar<number>({ ...bounds, entriesMax: 0 })
  none.set('a', 1)
  expect([familiar.count(), none.count()]).toEqual([0, 0])
})
