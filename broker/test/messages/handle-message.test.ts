import { createLogger, type Message, Refused, Unavailable } from '@almanac/shared'
import { expect, test } from 'vitest'
import { boundsOf } from '../../src/config/bounds.ts'
import {
  type Announcement,
  createMessageHandler,
  type HandlerParts,
} from '../../src/messages/handle-message.ts'

const never = new AbortController().signal
const at = '2026-01-01T00:00:00.000Z'
const origin = { topic: 'fits', partition: 0, offset: '7' }
const messageOf = (change: Partial<Message['origin']> = {}, more: Partial<Message> = {}) => ({
  ...{ at, value: Buffer.from('{"file": "sales.csv"}') },
  ...more,
  origin: { ...origin, ...change },
})

/** A handler of announced files, with what was announced. */
function handler(announced: HandlerParts['announced'], isThere = true) {
  const info = { name: 'sales.csv', sizeBytes: 1, modifiedAt: at, etag: 'e' }
  const files = { info: async () => (isThere ? info : undefined) }
  const parts = {
    ...{ announced, files, bounds: boundsOf(), tenant: 'default', filesPlace: null },
    logger: createLogger({ process: 'test', level: 'silent' }),
  }
  return createMessageHandler(parts as unknown as HandlerParts)
}

const failing = (error: unknown) =>
  handler(async () => {
    throw error
  })

const late = () => new DOMException('It took too long.', 'TimeoutError')

test.each([
  ['another is at it', new Refused(408, 'late', 'Late.')],
  ['too much is asked', new Refused(429, 'busy', 'Busy.')],
  ['something is away', new Refused(503, 'away', 'Away.')],
  ['the coordinator is away', new Unavailable('coordinator', 'away')],
  ['a deadline has passed', late()],
])('a message is held as long as %s, and is no dead letter', async (_why, error) => {
  const handle = failing(error)
  for (let tries = 0; tries < 12; tries += 1)
    await expect(handle(messageOf(), never)).rejects.toBe(error)
})

test('a fault that nobody expected ends a message only when it has come again and again', async () => {
  const handle = failing(new TypeError('x is not a function'))
  for (let tries = 0; tries < 4; tries += 1)
    await expect(handle(messageOf(), never)).rejects.toThrow('x is not')
  expect(await handle(messageOf(), never)).toMatchObject({
    ...{ kind: 'dead', reason: { code: 'internal' } },
  })
})

test('faults of other messages do not count for it', async () => {
  const handle = failing(new TypeError('x is not a function'))
  for (let offset = 0; offset < 12; offset += 1)
    await expect(handle(messageOf({ offset: String(offset) }), never)).rejects.toThrow('x is not')
})

test('a file that is not there is told to nobody', async () => {
  const told: string[] = []
  const handle = handler(async ({ file }) => void told.push(file), false)
  expect(await handle(messageOf(), never)).toMatchObject({ reason: { code: 'no-such-file' } })
  expect(told).toEqual([])
})

test('each message has a key of its own, and the same one when it is given again', async () => {
  const keys: Announcement['idempotency'][] = []
  const handle = handler(async ({ idempotency }) => void keys.push(idempotency))
  const others = [
    messageOf({ topic: 'other' }),
    messageOf({ partition: 1 }),
    messageOf({ offset: '8' }),
    messageOf({}, { at: '2026-01-02T00:00:00.000Z' }),
  ]
  for (const message of [messageOf(), ...others]) await handle(message, never)
  expect(new Set(keys.map(({ hash }) => hash)).size).toBe(1 + others.length)
  await handle(messageOf(), never)
  expect(keys.at(-1)).toEqual(keys[0])
  await handle(messageOf({}, { value: Buffer.from('{"file":"sales.csv"}') }), never)
  expect(keys.at(-1)).toMatchObject({ hash: keys[0]!.hash })
  expect(keys.at(-1)).not.toEqual(keys[0])
})
