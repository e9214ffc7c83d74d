import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Former, nextFormers, wantedVersions } from '../../src/serving/wanted.ts'
import { newModel } from '../support/machine.ts'

const bounds = { graceMs: 100, countMax: 3 }

test('a live model wants its serving and its target version', () => {
  const { load, keep } = wantedVersions(newModel({ serving: 3, target: 4 }), [], 0)
  expect([...load]).toEqual([3, 4])
  expect([...keep]).toEqual([3, 4])
})

test('a model without versions, a deleted one and an unknown one want nothing', () => {
  const deleted = newModel({ serving: 3, target: 3, deletedAt: '2026-01-01T00:00:00Z' })
  const formers = [{ version: 2, untilMs: 9 }]
  expect(wantedVersions(newModel(), [], 0).keep.size).toBe(0)
  expect(wantedVersions(deleted, formers, 0).keep.size).toBe(0)
  expect(wantedVersions(undefined, formers, 0).keep.size).toBe(0)
})

test('versions of a deleted namesake are never wanted', () => {
  const record = newModel({ serving: 5, target: 4, floor: 4 })
  const { keep } = wantedVersions(record, [{ version: 3, untilMs: 9 }], 0)
  expect([...keep]).toEqual([5])
})

test('a former version is kept until its grace is over, and never fetched', () => {
  const record = newModel({ serving: 2, target: 2 })
  const formers = nextFormers([], { from: 1, to: 2 }, 1_000, bounds)
  const during = wantedVersions(record, formers, 1_099)
  expect([...during.keep]).toEqual([2, 1])
  expect([...during.load]).toEqual([2])
  expect([...wantedVersions(record, formers, 1_100).keep]).toEqual([2])
})

test('a version that serves again is no former one', () => {
  const once = nextFormers([], { from: 1, to: 2 }, 0, bounds)
  const back = nextFormers(once, { from: 2, to: 1 }, 10, bounds)
  expect(back.map(({ version }) => version)).toEqual([2])
})

test('whatever happens, formers are few, distinct, in their grace, and do not serve', () => {
  const step = fc.record({ to: fc.option(fc.integer({ min: 1, max: 6 })), ms: fc.nat(60) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let formers: readonly Former[] = []
      let from: number | null = null
      let nowMs = 0
      for (const { to, ms } of steps) {
        nowMs += ms
        formers = nextFormers(formers, { from, to }, nowMs, bounds)
        const versions = formers.map(({ version }) => version)
        expect(versions.length).toBeLessThanOrEqual(bounds.countMax)
        expect(new Set(versions).size).toBe(versions.length)
        expect(versions).not.toContain(to)
        if (from !== null && from !== to) expect(versions).toContain(from)
        for (const { untilMs } of formers) expect(untilMs).toBeGreaterThan(nowMs)
        from = to
      }
    }),
  )
})
