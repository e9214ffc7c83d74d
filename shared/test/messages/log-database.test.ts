import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { openLog, operationsOn } from '../../src/messages/embedded/log-database.ts'

const at = '2026-01-01T00:00:00.000Z'
const value = new Uint8Array([1])
const reason = { code: 'odd', detail: 'It is odd.' }

function opened() {
  const folder = mkdtempSync(join(tmpdir(), 'almanac-log-'))
  const database = openLog(join(folder, 'log.sqlite'))
  onTestFinished(() => {
    database.close()
    rmSync(folder, { recursive: true })
  })
  return { database, log: operationsOn(database) }
}

test('a number is never used twice, also when its message was consumed', () => {
  const { log } = opened()
  expect(log.publish(at, value)).toBe(1)
  log.commit(1)
  expect(log.publish(at, value)).toBe(2)
})

test('what is acknowledged is on the disk', () => {
  const { database } = opened()
  expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
})

test('so many messages wait and no more, and the newest dead letters are kept', () => {
  const { database, log } = opened()
  database.exec('BEGIN')
  for (let i = 0; i < limits.messagesWaitingMax; i += 1) log.publish(at, value)
  expect(log.publish(at, value)).toBe(undefined)
  expect(log.waiting()).toBe(limits.messagesWaitingMax)
  const insert = database.prepare('INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?)')
  const whole = JSON.stringify(reason)
  for (let i = 1; i <= limits.deadLettersKept; i += 1) insert.run(i, at, at, whole, 1, value)
  database.exec('COMMIT')
  const newest = limits.deadLettersKept + 1
  const letter = { offset: newest, at, buriedAt: at, reason, sizeBytes: 1, value }
  log.bury(letter)
  // It was not consumed before the process died, and comes again.
  log.bury(letter)
  const { n } = database.prepare('SELECT count(*) AS n FROM dead_letters').get() as { n: number }
  expect(n).toBe(limits.deadLettersKept)
  expect(log.letters(newest + 1, 1)).toMatchObject([{ offset: newest, reason }])
  expect(log.letters(3, 10).map(({ offset }) => offset)).toEqual([2])
})
