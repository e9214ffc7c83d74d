import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { type Delivery, deliver, newTally } from '../../src/messages/deliver.ts'

const never = new AbortController().signal
const at = '2026-01-01T00:00:00.000Z'
const origin = { topic: 'messages', partition: 0, offset: '1' }
const messageOf = (bytes: number) => ({ origin, at, value: new Uint8Array(bytes) })
const reason = { code: 'odd', detail: 'It is odd.' }

const parts = (change: Partial<Delivery>): Delivery => ({
  ...{ tally: newTally(), clock: systemClock, random: Math.random, onEvent: () => {} },
  ...{ bytesMax: 4, pauseMs: 1, pauseMaxMs: 2 },
  handle: async () => ({ kind: 'done' }),
  bury: async () => {},
  ...change,
})

test('a message of the largest size is handled, and a larger one is not', async () => {
  const handled: number[] = []
  const buried: string[] = []
  const delivery = parts({
    handle: async ({ value }) => {
      handled.push(value.byteLength)
      return { kind: 'done' }
    },
    bury: async (_message, { code }) => void buried.push(code),
  })
  for (const bytes of [4, 5]) await deliver(delivery, messageOf(bytes), never)
  expect({ handled, buried }).toEqual({ handled: [4], buried: ['too-large'] })
})

test('a dead letter is kept before its message counts as consumed', async () => {
  let tries = 0
  const delivery = parts({
    handle: async () => ({ kind: 'dead', reason }),
    bury: async () => {
      tries += 1
      if (tries < 3) throw new Error('the disk is full')
    },
  })
  await deliver(delivery, messageOf(1), never)
  expect(tries).toBe(3)
  expect(delivery.tally).toEqual({ handled: 1, buried: 1, held: 2 })
})

test('what fails as the consumer stops is not held', async () => {
  const stopping = new AbortController()
  const delivery = parts({
    handle: async () => {
      stopping.abort(new Error('it stops'))
      throw new Error('cut off')
    },
  })
  await expect(deliver(delivery, messageOf(1), stopping.signal)).rejects.toThrow('it stops')
  expect(delivery.tally).toEqual({ handled: 0, buried: 0, held: 0 })
})
