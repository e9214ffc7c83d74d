import { expect, test } from 'vitest'
import { Chronicle } from '../../history/chronicle.ts'
import type { LogSeen, Records, VersionSeen } from '../../history/records.ts'

const version = (n: number, state = 'retired'): VersionSeen => ({
  version: n,
  state,
  job: `job-${n}`,
  error: null,
})
const entry = (n: number, why = 'fit'): LogSeen => ({ n, from: n - 1, to: n, why })
const records = (versions: VersionSeen[], log: LogSeen[]): Records => ({
  models: [{ model: 'm', serving: 1, target: 1, hold: false }],
  versions: new Map([['m', versions]]),
  logs: new Map([['m', log]]),
  jobs: [],
})

test('what was let go of on the way stands before what is left, as it was last seen', () => {
  const chronicle = new Chronicle()
  chronicle.note(records([version(2, 'serving'), version(1)], [entry(1), entry(2)]))
  chronicle.note(records([version(3), version(2)], [entry(2), entry(3)]))
  const whole = chronicle.whole(records([version(4), version(3)], [entry(3), entry(4)]))
  expect(whole.versions.get('m')).toEqual([version(4), version(3), version(2), version(1)])
  expect(whole.logs.get('m')).toEqual([entry(1), entry(2), entry(3), entry(4)])
})

test('what was never there is still missing', () => {
  const chronicle = new Chronicle()
  chronicle.note(records([version(1)], [entry(1)]))
  const whole = chronicle.whole(records([version(4)], [entry(4)]))
  expect(whole.versions.get('m')).toEqual([version(4), version(1)])
})

test('versions from before a deletion are not those of the model that came after it', () => {
  const chronicle = new Chronicle()
  chronicle.note(records([version(1)], [entry(1)]))
  const whole = chronicle.whole(records([version(3)], [entry(2, 'deleted'), entry(3)]))
  expect(whole.versions.get('m')).toEqual([version(3)])
  expect(whole.logs.get('m')).toHaveLength(3)
})

test('a model that is gone stays gone', () => {
  const chronicle = new Chronicle()
  chronicle.note(records([version(1)], [entry(1)]))
  const whole = chronicle.whole({ models: [], versions: new Map(), logs: new Map(), jobs: [] })
  expect([...whole.versions.keys(), ...whole.logs.keys()]).toEqual([])
})
