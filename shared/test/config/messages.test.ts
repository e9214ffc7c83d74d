import { expect, test } from 'vitest'
import { checkMessagesSettings, messagesSettings, readSettings } from '../../src/index.ts'

const read = (argv: readonly string[], env: Record<string, string> = {}) => {
  const outcome = readSettings(messagesSettings, argv, env)
  if (outcome.kind !== 'settings') throw new Error(JSON.stringify(outcome))
  return outcome.settings
}

test('messages come from a topic of Kafka, from a log, or from nowhere', () => {
  expect(read([]).messages).toBeNull()
  expect(read(['--messages', 'none']).messages).toEqual({ kind: 'none' })
  expect(read(['--messages', 'embedded']).messages).toEqual({ kind: 'embedded' })
  const env = { ALMANAC_MESSAGES: 'kafka://k-1:9092,10.0.0.6:9093/url-topic' }
  expect(read([], env)).toEqual({
    messages: { kind: 'kafka', brokers: ['k-1:9092', '10.0.0.6:9093'], topic: 'url-topic' },
    messagesGroup: 'almanac',
    messagesDeadLetters: null,
  })
})

test.each([
  'kafka://k-1:9092',
  'kafka://k-1/fits',
  'kafka://user:secret@k-1:9092/fits',
  'kafka://k-1:9092/a/b',
  'kafka://k-1:9092,/fits',
  'http://k-1:9092/fits',
  './folder',
])('%s is no place of messages', (value) => {
  const outcome = readSettings(messagesSettings, ['--messages', value], {})
  expect(outcome).toMatchObject({ kind: 'faults', faults: [expect.stringContaining(value)] })
})

test('a topic for dead letters is another one, and goes with Kafka', () => {
  const check = (...argv: string[]) => checkMessagesSettings(read(argv))
  const kafka = ['--messages', 'kafka://k-1:9092/fits']
  expect(check(...kafka, '--messages-dead-letters', 'no-use')).toEqual([])
  expect(check(...kafka, '--messages-dead-letters', 'fits')).toHaveLength(1)
  expect(check(...kafka, '--messages-dead-letters', 'a b')).toHaveLength(1)
  expect(check(...kafka, '--messages-group', 'a b')).toHaveLength(1)
  expect(check('--messages-dead-letters', 'no-use')).toHaveLength(1)
})
