import { afterEach, expect, test } from 'vitest'
import { sparkEngine } from '../../src/spark/engine.ts'
import { openSparkSession } from '../../src/spark/session.ts'
import { type Asked, type SparkServer, startSparkServer } from './server.ts'

let server: SparkServer | undefined
afterEach(() => server?.stop())

const session = async (answer: (asked: Asked) => void, signal = AbortSignal.timeout(15_000)) => {
  server = await startSparkServer(answer)
  return await openSparkSession(server, signal)
}
const bytes = (text: string) => Buffer.from(text)
const texts = async (batches: AsyncGenerator<Uint8Array, void>) => {
  const all: string[] = []
  for await (const batch of batches) all.push(Buffer.from(batch).toString())
  return all
}

test('an answer comes in its order; what is no longer needed is let go of', async () => {
  const spark = await session(({ send, end }) => {
    send('1', bytes('a'))
    send('2', bytes('b'))
    send('3')
    end()
  })
  expect(await texts(spark.batches('SELECT 1'))).toEqual(['a', 'b'])
  await spark.close()
  await spark.close()
  expect(server?.others).toEqual(['releaseExecute', 'interrupt', 'releaseSession'])
})

test('an answer of Spark 4.0.5 is read: whole numbers, fractions, texts, and what is missing', async () => {
  const spark = await session(({ send, end }) => {
    send('1', Buffer.from(recorded, 'base64'))
    send('2')
    end()
  })
  // The answers to its settings are not looked at.
  const engine = await sparkEngine(spark, 'file:///nowhere')
  const rows = await engine.rows('SELECT * FROM anything')
  expect(rows.map(([id, ...rest]) => [Number(id), ...rest])).toEqual([
    [1, 2.5, 'é', true],
    [2, null, null, false],
    [9_007_199_254_740_991, -0.25, '', null],
  ])
})

test('an answer whose stream ends or breaks goes on after what was had, nothing twice', async () => {
  const asked: string[] = []
  const spark = await session(({ call, sql, operationId, lastResponseId, send, end, fail }) => {
    asked.push(`${call} ${sql ?? ''} ${lastResponseId ?? ''}`.trim())
    expect(operationId).toMatch(/^[0-9a-f-]{36}$/)
    if (asked.length === 1) {
      send('1', bytes('a'))
      return end()
    }
    if (asked.length === 2) {
      send('2', bytes('b'))
      return fail(unavailable, 'broken on purpose')
    }
    if (asked.length === 3) return fail(unavailable, 'and again')
    send('3', bytes('c'))
    send('4')
    end()
  })
  expect(await texts(spark.batches('SELECT 1'))).toEqual(['a', 'b', 'c'])
  expect(asked).toEqual([
    'executePlan SELECT 1',
    'reattachExecute  1',
    'reattachExecute  2',
    'reattachExecute  2',
  ])
})

test('a Spark that is not there is lost, after a few tries', async () => {
  const spark = await session(() => {})
  server?.stop()
  await expect(spark.run('SELECT 1')).rejects.toMatchObject({
    kind: 'lost',
    message: expect.stringContaining('Spark cannot be reached'),
  })
  await spark.close()
})

test('a Spark that goes away in the middle of an answer is lost, too', async () => {
  const spark = await session(({ send }) => send('1', bytes('a')))
  const batches = spark.batches('SELECT 1')
  expect((await batches.next()).value).toEqual(bytes('a'))
  server?.stop()
  await expect(batches.next()).rejects.toMatchObject({ kind: 'lost' })
})

test.each([
  [13, '[INVALID_HANDLE.SESSION_CHANGED] The handle is invalid. SQLSTATE: HY000', 'away'],
  [13, '[INVALID_HANDLE.OPERATION_NOT_FOUND] SQLSTATE: HY000', 'away'],
  [13, "[PARSE_SYNTAX_ERROR] Syntax error at or near 'x'. SQLSTATE: 42601", 'refused'],
  [13, '[TABLE_OR_VIEW_NOT_FOUND] The table cannot be found. SQLSTATE: 42P01', 'refused'],
  [13, 'Job aborted due to stage failure: Task 0 in stage 3.0 failed 1 times', 'failed'],
  [2, 'java.lang.OutOfMemoryError: Java heap space', 'failed'],
  [16, 'Invalid authentication token', 'failed'],
])('what ends with %i, %s is %s, and is not asked again', async (code, details, kind) => {
  let calls = 0
  const spark = await session(({ fail }) => {
    calls += 1
    fail(code, details)
  })
  const message = expect.stringContaining(details)
  await expect(spark.run('SELECT 1')).rejects.toMatchObject({ kind, message })
  expect(calls).toBe(1)
})

test('a signal ends an answer in the middle, for its reason, and Spark is told', async () => {
  const controller = new AbortController()
  let cancelled: Promise<void> | undefined
  const spark = await session((asked) => {
    cancelled = asked.cancelled
    asked.send('1', bytes('a'))
  }, controller.signal)
  const batches = spark.batches('SELECT 1')
  await batches.next()
  controller.abort(new Error('no longer wanted'))
  await expect(batches.next()).rejects.toThrow('no longer wanted')
  await cancelled
  expect(server?.others).toEqual(['releaseExecute'])
})

test('a reader that has enough lets go of the rest', async () => {
  const spark = await session(({ send }) => {
    send('1', bytes('a'))
    send('2', bytes('b'))
  })
  for await (const batch of spark.batches('SELECT 1')) {
    expect(batch).toEqual(bytes('a'))
    break
  }
  expect(server?.others).toEqual(['releaseExecute'])
})

/** Of gRPC. */
const unavailable = 14

/** The answer of Spark 4.0.5 with these rows. */
const recorded =
  '/////0gBAAAQAAAAAAAKAA4ABgANAAgACgAAAAAABAAQAAAAAAEKAAwAAAAIAAQACgAAAAgAAAAIAAAAAAAAAAQAAADQ' +
  'AAAAgAAAADgAAAAEAAAAnv///xQAAAAUAAAAFAAAAAAABgEQAAAAAAAAAAAAAADQ////BAAAAGZsYWcAAAAAzv///xQA' +
  'AAAUAAAAGAAAAAAABQEUAAAAAAAAAAAAAAAEAAQABAAAAAQAAAB0ZXh0AAASABgAFAATABIADAAAAAgABAASAAAAFAAA' +
  'ABQAAAAcAAAAAAADARwAAAAAAAAAAAAAAAAABgAIAAYABgAAAAAAAgAFAAAAdmFsdWUAEgAYABQAAAATAAwAAAAIAAQA' +
  'EgAAABQAAAAUAAAAHAAAAAAAAAIgAAAAAAAAAAAAAAAIAAwACAAHAAgAAAAAAAABQAAAAAIAAABpZAAA/////ygBAAAU' +
  'AAAAAAAAAAwAFgAOABUAEAAEAAwAAABwAAAAAAAAAAAABAAQAAAAAAMKABgADAAIAAQACgAAABQAAACoAAAAAwAAAAAA' +
  'AAAAAAAACQAAAAAAAAAAAAAAAQAAAAAAAAAIAAAAAAAAABgAAAAAAAAAIAAAAAAAAAABAAAAAAAAACgAAAAAAAAAGAAA' +
  'AAAAAABAAAAAAAAAAAEAAAAAAAAASAAAAAAAAAAQAAAAAAAAAFgAAAAAAAAAAgAAAAAAAABgAAAAAAAAAAEAAAAAAAAA' +
  'aAAAAAAAAAABAAAAAAAAAAAAAAAEAAAAAwAAAAAAAAAAAAAAAAAAAAMAAAAAAAAAAQAAAAAAAAADAAAAAAAAAAEAAAAA' +
  'AAAAAwAAAAAAAAABAAAAAAAAAAcAAAAAAAAAAQAAAAAAAAACAAAAAAAAAP///////x8ABQAAAAAAAAAAAAAAAAAEQAAA' +
  'AAAAAAAAAAAAAAAA0L8FAAAAAAAAAAAAAAACAAAAAgAAAAIAAADDqQAAAAAAAAMAAAAAAAAAAQAAAAAAAAD/////AAAA' +
  'AA=='
