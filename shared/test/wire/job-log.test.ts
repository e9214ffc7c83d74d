import { expect, test } from 'vitest'
import { bounded, eventOf, jobEventsMax, noted } from '../../src/wire/job-log.ts'

const events = (count: number) =>
  Array.from({ length: count }, (_, i) => eventOf('now', 'phase', `step ${i}`))

test('a log that is long keeps how it began and how it ended, and counts what is left out', () => {
  const log = bounded(events(1_000))
  expect(log).toHaveLength(jobEventsMax)
  expect(log[0]!.text).toBe('step 0')
  expect(log.at(-1)!.text).toBe('step 999')
  expect(log.filter(({ event }) => event === 'left-out').map(({ text }) => text)).toEqual([
    `${1_000 - (jobEventsMax - 1)} entries are left out.`,
  ])
})

test('what is added one by one ends as what is added at once', () => {
  let record: { log?: ReturnType<typeof events> } = {}
  for (const event of events(1_000)) record = noted(record, event)
  expect(record.log).toEqual(bounded(events(1_000)))
})

test('a text is cut to what an entry may have', () => {
  expect(eventOf('now', 'failed', 'x'.repeat(10_000)).text).toHaveLength(400)
})
