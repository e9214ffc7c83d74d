import type { VersionRecord } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import type { Ask } from '../../src/routing/ask.ts'
import { resolveVersion } from '../../src/routing/resolve.ts'
import { createRetryBudget, type RetryBudget } from '../../src/routing/retry-budget.ts'
import { held, modelRecord, versionRecord } from '../support/records.ts'

const ask = (change: Partial<Ask> = {}): Ask => ({
  tenant: 'default',
  model: 'm',
  horizon: 3,
  query: '',
  version: 'serving',
  atLeast: null,
  ...change,
})
const versions = (...list: VersionRecord[]) => new Map(list.map((v) => [v.version, held(v)]))
const record = modelRecord({ serving: 7, target: 7, previous: 6, high: 8, floor: 3 })
const known = versions(
  versionRecord(6),
  versionRecord(7),
  versionRecord(8, 'failed', { error: { phase: 'rollout', reason: 'deadline', detail: 'Late.' } }),
  versionRecord(9),
  versionRecord(10, 'fitting'),
)

describe('the version that answers', () => {
  test.each<[string, Partial<Ask>, object]>([
    ['none named: the serving one', {}, { kind: 'version', version: 7 }],
    ['the serving one by name', { version: 'serving' }, { kind: 'version', version: 7 }],
    ['the one before', { version: 'previous' }, { kind: 'version', version: 6 }],
    ['the newest stored one', { version: 'latest' }, { kind: 'version', version: 9 }],
    ['a stored one by number', { version: 6 }, { kind: 'version', version: 6 }],
    ['at least one that serves', { atLeast: 7 }, { kind: 'version', version: 7 }],
    ['at least one that does not serve yet', { atLeast: 8 }, { kind: 'wait' }],
    ['one of a deleted model', { version: 3 }, { status: 410, code: 'version-gone' }],
    ['one that was collected', { version: 4 }, { status: 410, code: 'version-gone' }],
    ['one that failed', { version: 8 }, { status: 422, code: 'version-failed' }],
    ['one being fitted', { version: 10 }, { status: 409, code: 'version-not-ready' }],
    ['one above all that was seen', { version: 11 }, { kind: 'unseen', version: 11 }],
  ])('%s', (_name, change, expected) => {
    expect(resolveVersion(ask(change), record, known)).toMatchObject(expected)
  })

  test('the reason of a failed version is told', () => {
    const refused = resolveVersion(ask({ version: 8 }), record, known)
    expect(refused).toMatchObject({ detail: expect.stringContaining('rollout: deadline') })
  })

  test('a model whose first fit is under way is worth waiting for, one whose fits failed is not', () => {
    const none = modelRecord({ floor: 0 })
    const error = { phase: 'fit' as const, reason: 'too-short', detail: 'x' }
    const failed = versionRecord(1, 'failed', { error })
    expect(resolveVersion(ask(), none, versions(failed, versionRecord(2, 'queued')))).toMatchObject(
      { kind: 'wait' },
    )
    expect(resolveVersion(ask(), none, versions(failed))).toMatchObject({
      status: 409,
      detail: expect.stringContaining('too-short'),
    })
  })
})

describe('the budget for retries', () => {
  const bounds = { retryShareMax: 0.2, retryReserve: 10, retriesPerSecondMin: 10 }
  const spend = (budget: RetryBudget) => {
    let retries = 0
    while (budget.take()) retries += 1
    return retries
  }

  test('is a share of requests once the reserve is used up', () => {
    const budget = createRetryBudget(bounds, { monotonicMs: () => 0 })
    let retries = 0
    for (let i = 0; i < 1_000; i += 1) {
      budget.request()
      retries += spend(budget)
    }
    expect(retries).toBeGreaterThan(195)
    expect(retries).toBeLessThanOrEqual(210)
  })

  test('comes back with time alone, up to the reserve', () => {
    let nowMs = 0
    const budget = createRetryBudget(bounds, { monotonicMs: () => nowMs })
    expect(spend(budget)).toBe(10)
    nowMs = 500
    expect(spend(budget)).toBe(5)
    nowMs = 60_000
    expect(spend(budget)).toBe(10)
  })
})
