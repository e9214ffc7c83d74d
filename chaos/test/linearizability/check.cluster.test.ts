import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkHistory, faultsOf } from '../../linearizability/check.ts'
import type { Operation } from '../../linearizability/history.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-checker-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const allocation = (model: string, callMs: number, version: number): Operation => ({
  client: `client-${callMs % 3}`,
  model,
  callMs,
  returnMs: callMs + 1,
  act: { kind: 'allocate', version },
})
const good = (model: string, count: number) =>
  Array.from({ length: count }, (_, i) => allocation(model, 2 * i, i + 1))

test('of many models only those are named that are wrong, cut where they became so', async () => {
  const wrong = good('wrong', 50).map((each, i) => (i === 20 ? allocation('wrong', 40, 20) : each))
  const verdict = await checkHistory([...good('one', 50), ...wrong, ...good('two', 50)])
  expect(verdict).toMatchObject({ verdict: 'illegal', operations: 150, models: 3, undecided: [] })
  const [fault, ...others] = verdict.illegal
  expect(others).toEqual([])
  expect(fault?.model).toBe('wrong')
  expect(fault?.last).toEqual(wrong[20])
  expect(fault?.history).toEqual(wrong.slice(0, 21))
  expect(faultsOf(verdict)[0]).toContain('"version":20')
})

test('a picture shows what is wrong', async () => {
  const picture = join(folder, 'picture.html')
  await checkHistory([...good('one', 3), allocation('one', 100, 3)], { picture })
  expect(await readFile(picture, 'utf8')).toContain('allocate → 3')
})

test('what cannot be decided in time is unknown, never right', async () => {
  // Everything overlaps, and nothing fits: all orders would have to be tried.
  const history = Array.from({ length: 24 }, (_, i): Operation => {
    const act = i === 0 ? { kind: 'release' as const } : { kind: 'rollback' as const, version: i }
    return { client: `${i}`, model: 'm', callMs: 100, returnMs: 1_000, act }
  })
  const found = { serving: 9, target: 9, previous: null, high: 9, hold: true, changes: 9 }
  const ends: Operation[] = [
    ...good('m', 30),
    { ...allocation('m', 2_000, 31), act: { kind: 'read', found } },
  ]
  const verdict = await checkHistory([...ends, ...history], { timeoutMs: 300 })
  expect(verdict).toMatchObject({ verdict: 'unknown', undecided: ['m'] })
  expect(faultsOf(verdict)).toHaveLength(1)
})

test('a history that is none is refused, not taken for a right one', async () => {
  const act = { kind: 'allocated', version: 1 } as unknown as Operation['act']
  await expect(checkHistory([{ ...allocation('m', 0, 1), act }])).rejects.toThrow(
    'not an operation',
  )
  const backwards = { ...allocation('m', 5, 1), returnMs: 4 }
  await expect(checkHistory([backwards])).rejects.toThrow('returns before it is called')
})

test('ten thousand operations of ten clients are checked in seconds', async () => {
  const history = Array.from(
    { length: 10_000 },
    (_, i): Operation => ({
      ...allocation('m', i, i + 1),
      returnMs: i + 10,
    }),
  )
  const startedMs = performance.now()
  expect(await checkHistory(history)).toMatchObject({ verdict: 'ok', operations: 10_000 })
  expect(performance.now() - startedMs).toBeLessThan(10_000)
})
