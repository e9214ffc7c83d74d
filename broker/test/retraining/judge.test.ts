import {
  type AccuracyRecord,
  codecs,
  createClusterFold,
  type Entry,
  type ModelRecord,
  modelKey,
  type RetrainingRecord,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { decayed, judge, windowOf } from '../../src/retraining/judge.ts'
import { modelRecord, versionRecord } from '../support/records.ts'

const of = { tenant: 'default', model: 'm' }
const bounds = { accuracyUpdatesMax: 4 }
const at = '2026-01-01T00:00:00.000Z'
const now = Date.parse(at)

type Update = AccuracyRecord['updates'][number]
const update = (version: number, count: number, scaled: number): Update => ({
  ...{ version, count, scaled },
})
const accuracy = (...updates: Update[]): AccuracyRecord => ({ scale: 1, updates })

const rule = (change: Partial<RetrainingRecord> = {}): RetrainingRecord => ({
  ...{ liveMase: 1.5, observations: 10, restSeconds: 3_600, enabled: true },
  ...{ createdAt: at, changedAt: at, acted: null, begunAt: null, runs: [] },
  ...change,
})

function verdict(
  versions: VersionRecord[],
  { model = {}, ...change }: Partial<RetrainingRecord> & { model?: Partial<ModelRecord> } = {},
  when = now,
) {
  const fold = createClusterFold((key, fault) => expect.unreachable(`${key}: ${fault}`))
  const entry = (key: string, value: string): Entry => ({
    ...{ key, value, createRevision: 1, modRevision: 1, lease: null },
  })
  fold.apply({
    kind: 'snapshot',
    revision: 1,
    entries: [
      entry(modelKey(of), codecs.model.encode(modelRecord(model))),
      ...versions.map((version) =>
        entry(versionKey(of, version.version), codecs.version.encode(version)),
      ),
    ],
  })
  return judge(fold.state, of, rule(change), when, bounds)
}

const bad = accuracy(update(3, 10, 20), update(2, 10, 10))
const decayedVersion = versionRecord(3, 'stored', { accuracy: bad })

describe('the window', () => {
  test('has whole updates from the newest on, as many as are asked for', () => {
    const kept = accuracy(update(4, 6, 12), update(3, 6, 3), update(2, 100, 0))
    expect(windowOf({ accuracy: kept }, 10, bounds)).toEqual({
      ...{ observations: 12, liveMase: 15 / 12, since: 3, isFull: true, most: null },
    })
  })

  test('is not full with fewer, unless no more updates are kept', () => {
    const three = [5, 4, 3].map((version) => update(version, 1, 2))
    expect(windowOf({ accuracy: accuracy(...three) }, 10, bounds)).toMatchObject({
      observations: 3,
      isFull: false,
    })
    const four = accuracy(...three, update(2, 1, 2))
    expect(windowOf({ accuracy: four }, 10, bounds)).toMatchObject({
      observations: 4,
      liveMase: 2,
      isFull: true,
    })
  })

  test('of a version that tells nothing is empty', () => {
    expect(windowOf({}, 10, bounds)).toEqual({
      ...{ observations: 0, liveMase: null, since: null, isFull: false, most: null },
    })
  })

  test('of many series has no update in which one series could outweigh all others', () => {
    const [series, errorMax] = [100, 10]
    const before = [update(3, 10, 1_540), update(2, 100, 90)]
    const kept = accuracy({ ...update(4, 6, 9), errorMax }, ...before)
    const judged = { observations: 6, liveMase: 1.5, since: 4, most: 10 }
    expect(windowOf({ accuracy: kept, series }, 10, bounds)).toEqual({ ...judged, isFull: false })
    expect(windowOf({ accuracy: kept, series }, 6, bounds)).toEqual({ ...judged, isFull: true })
    const none = { observations: 0, liveMase: null, since: null, isFull: false, most: 10 }
    expect(windowOf({ accuracy: accuracy(...before), series }, 10, bounds)).toEqual(none)
    // One series alone has no bound.
    expect(windowOf({ accuracy: accuracy(...before) }, 10, bounds).liveMase).toBe(154)
  })

  test('of errors that no number holds is as large as one can be written down', () => {
    const huge = accuracy(update(3, 1, Number.MAX_VALUE), update(2, 1, Number.MAX_VALUE))
    expect(windowOf({ accuracy: huge }, 2, bounds).liveMase).toBe(Number.MAX_VALUE)
  })
})

describe('a model is', () => {
  test('due past the limit, not at it', () => {
    expect(verdict([decayedVersion])).toMatchObject({
      ...{ kind: 'due', judged: { last: 3, window: { liveMase: 2, since: 3 } } },
    })
    expect(verdict([decayedVersion], { liveMase: 2 }).kind).toBe('below')
  })

  test.each<[string, Parameters<typeof verdict>]>([
    ['off', [[decayedVersion], { enabled: false }]],
    ['no-version', [[]]],
    ['no-version', [[decayedVersion], { model: { floor: 3 } }]],
    ['no-version', [[decayedVersion], { model: { deletedAt: at } }]],
    ['held', [[decayedVersion], { model: { hold: true } }]],
    ['open', [[decayedVersion, versionRecord(4, 'queued', { accuracy: bad })]]],
    ['open', [[decayedVersion, versionRecord(4, 'fitting', { accuracy: bad })]]],
    ['too-few', [[decayedVersion, versionRecord(4)]]],
    ['too-few', [[decayedVersion], { observations: 21 }]],
    ['acted', [[decayedVersion], { acted: 3 }]],
    ['due', [[decayedVersion], { acted: 2 }]],
  ])('%s', (kind, given) => {
    expect(verdict(...given).kind).toBe(kind)
  })

  test('judged by the newest version that did not fail, and none is overlooked', () => {
    const failed = versionRecord(4, 'failed')
    expect(verdict([failed, decayedVersion])).toMatchObject({
      ...{ kind: 'due', judged: { version: { version: 3 }, last: 4 } },
    })
  })

  test('resting for as long as the rule says since a retraining was begun', () => {
    const hour = 3_600_000
    const rested = (ms: number) => verdict([decayedVersion], { begunAt: at }, now + ms)
    expect(rested(0)).toMatchObject({ kind: 'resting', until: '2026-01-01T01:00:00.000Z' })
    expect(rested(hour - 1).kind).toBe('resting')
    expect(rested(hour).kind).toBe('due')
    // Of a broker whose clock is a little behind, and of one whose was wrong.
    expect(rested(-1_000)).toMatchObject({ kind: 'resting', until: '2026-01-01T01:00:00.000Z' })
    expect(rested(-hour - 1).kind).toBe('due')
    expect(verdict([decayedVersion], { begunAt: 'never' }).kind).toBe('due')
  })
})

test('what is told has as many digits as it takes', () => {
  const told = (liveMase: number, limit: number) =>
    decayed(of, { liveMase, observations: 24, since: 1, isFull: true, most: null }, limit)
  expect(told(1.4183, 1.2)).toBe(
    'Live accuracy of m was 1.42 over the last 24 observations; the limit is 1.2.',
  )
  expect(told(1.200049, 1.2)).toContain('was 1.20005 over')
})
