import { expect, test } from 'vitest'
import { type AnyModel, encodeModel, fitMany, type Outcome, type Series } from '../../src/index.ts'
import { fitManyInWorkers } from '../../workers/index.ts'
import { autoregression, mixedBatch } from '../batch/batches.ts'

const run = { seed: 5, workMax: 1e8 }
const dying = new URL('./dying-worker.ts', import.meta.url)
const stillborn = new URL('./stillborn-worker.ts', import.meta.url)

function plain(outcome: Outcome<AnyModel>) {
  if (outcome.kind === 'refused') return outcome
  return { kind: outcome.kind, report: outcome.report, bytes: encodeModel(outcome.value) }
}

async function inWorkers(batch: Iterable<Series>, options: { workers?: number; entry?: URL }) {
  const outcomes: Outcome<AnyModel>[] = []
  for await (const outcome of fitManyInWorkers(batch, autoregression, run, options)) {
    outcomes.push(outcome)
  }
  return outcomes
}

/** What keeps this process alive on behalf of worker threads. */
function threads(): number {
  const kinds = ['Worker', 'MessagePort']
  return process.getActiveResourcesInfo().filter((kind) => kinds.includes(kind)).length
}

test.each([1, 2, 3])('%i workers give the bytes of none, in the same order', async (workers) => {
  const batch = mixedBatch(1, 60)
  const outcomes = await inWorkers(batch, { workers })
  expect(outcomes.map(plain)).toEqual([...fitMany(batch, autoregression, run)].map(plain))
})

test('series without a key get the seeds of their places', async () => {
  const batch = mixedBatch(2, 9).map(({ y }) => ({ y }))
  const outcomes = await inWorkers(batch, { workers: 2 })
  expect(outcomes.map(plain)).toEqual([...fitMany(batch, autoregression, run)].map(plain))
})

test('a series that kills its worker is refused, and the others are fitted', async () => {
  const batch = mixedBatch(3, 30).map((series, i) =>
    i === 4 || i === 5 || i === 20 ? { ...series, key: `deadly ${i}` } : series,
  )
  const outcomes = await inWorkers(batch, { workers: 2, entry: dying })
  const healthy = [...fitMany(batch, autoregression, run)]
  expect(outcomes).toHaveLength(30)
  for (const [i, outcome] of outcomes.entries()) {
    if (batch[i]?.key?.startsWith('deadly') === true)
      expect(outcome).toMatchObject({ kind: 'refused', reason: { code: 'worker-failed' } })
    else expect(plain(outcome)).toEqual(plain(healthy[i]!))
  }
})

test('workers that cannot start are told, not waited for', async () => {
  const outcomes = inWorkers(mixedBatch(4, 3), { workers: 2, entry: stillborn })
  await expect(outcomes).rejects.toThrow('nothing works here')
})

test('a series that cannot be sent is refused alone', async () => {
  const [first, second] = mixedBatch(5, 2)
  const bad = { y: new Float64Array(3), key: (() => 'no text') as unknown as string }
  const outcomes = await inWorkers([first!, bad, second!], { workers: 1 })
  expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'refused', 'done'])
})

test('of an endless batch only a window is read, and an end of the asking ends the workers', async () => {
  const before = threads()
  let read = 0
  let isClosed = false
  function* endless() {
    try {
      for (;;) {
        read++
        yield mixedBatch(6, 1)[0]!
      }
    } finally {
      isClosed = true
    }
  }
  let seen = 0
  for await (const outcome of fitManyInWorkers(endless(), autoregression, run, { workers: 2 })) {
    expect(outcome.kind).toBe('done')
    expect(threads()).toBeGreaterThan(before)
    if (++seen === 5) break
  }
  expect(read).toBeLessThan(200)
  expect(isClosed).toBe(true)
  expect(threads()).toBe(before)
})

test('an aborted batch stops its fits and still answers each series', async () => {
  const outcomes: Outcome<AnyModel>[] = []
  const signal = AbortSignal.abort()
  const batch = mixedBatch(8, 3)
  const stopping = fitManyInWorkers(batch, autoregression, { ...run, signal }, { workers: 1 })
  for await (const outcome of stopping) outcomes.push(outcome)
  expect(outcomes.map(({ kind }) => kind)).toEqual(['stopped', 'stopped', 'stopped'])
})

test('a spec that is refused is refused for every series', async () => {
  const kinds: string[] = []
  const refusing = fitManyInWorkers(mixedBatch(9, 3), { family: 'none' }, run, { workers: 1 })
  for await (const outcome of refusing) kinds.push(outcome.kind)
  expect(kinds).toEqual(['refused', 'refused', 'refused'])
})

test('no workers at all is a mistake', async () => {
  await expect(inWorkers([], { workers: 0 })).rejects.toThrow(RangeError)
})
