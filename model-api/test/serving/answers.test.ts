import { setImmediate as nextTurn } from 'node:timers/promises'
import { fitModel, parseSpec } from '@almanac/engine'
import { createRegistry } from '@almanac/shared'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createNodeMetrics } from '../../src/base/metrics.ts'
import { Answers } from '../../src/serving/answers.ts'
import type { LoadedModel } from '../../src/serving/load-version.ts'
import { readQuestion } from '../../src/serving/question.ts'
import { quickSpec, shortSeries } from '../support/machine.ts'

type Body = {
  data: number[]
  intervals?: { level: number; lower: number[]; upper: number[] }[]
  notes?: { code: string; detail: string }[]
  timestamps?: string[]
}

const loaded = loadedVersion()

test('the plain answer has the data and nothing else', async () => {
  const body = await ask('7')
  expect(Object.keys(body)).toEqual(['data'])
  expect(body.data).toHaveLength(7)
  expect(body.data.every(Number.isFinite)).toBe(true)
})

test('intervals lie around the forecast, the wider outside the narrower', async () => {
  const { data, intervals = [] } = await ask('12', { level: '50,80,95' })
  expect(intervals.map(({ level }) => level)).toEqual([50, 80, 95])
  for (const [step, value] of data.entries()) {
    const lower = intervals.map((interval) => interval.lower[step]!)
    const upper = intervals.map((interval) => interval.upper[step]!)
    const ascending = [...lower.toReversed(), value, ...upper]
    expect(ascending).toEqual(ascending.toSorted((a, b) => a - b))
    expect(new Set(ascending).size).toBe(7)
  }
})

test('notes say what is claimed of the intervals, and come only with them', async () => {
  const automatic = loadedVersion({ family: 'automatic' })
  const { notes = [] } = await ask('5', { level: '80' }, undefined, automatic)
  expect(notes.map(({ code }) => code)).toContainEqual(expect.stringMatching(/^intervals-/))
  expect(await ask('5', {}, undefined, automatic)).not.toHaveProperty('notes')
})

test('times follow the data', async () => {
  const { timestamps } = await ask('2', { timestamps: 'true' })
  expect(timestamps).toEqual(['2024-03-01T00:00:00.000Z', '2024-03-02T00:00:00.000Z'])
})

test('a short answer is the beginning of a long one', async () => {
  const answers = new Answers(createNodeMetrics(createRegistry('model-api')))
  const horizon = fc.integer({ min: 1, max: 400 })
  await fc.assert(
    fc.asyncProperty(horizon, horizon, async (a, b) => {
      const [short, long] = [Math.min(a, b), Math.max(a, b)]
      const one = await ask(String(short), {}, answers)
      const other = await ask(String(long), {}, answers)
      expect(other.data.slice(0, short)).toEqual(one.data)
    }),
    { numRuns: 30 },
  )
})

test('the same question is computed once', async () => {
  const answers = new Answers(createNodeMetrics(createRegistry('model-api')))
  const first = await answers.answer('default/m', loaded, readQuestion('20', {}))
  expect(await answers.answer('default/m', loaded, readQuestion('20', {}))).toBe(first)
  expect(await answers.answer('default/m', loaded, readQuestion('21', {}))).not.toBe(first)
  expect(await answers.answer('default/n', loaded, readQuestion('20', {}))).not.toBe(first)
})

test('what is asked once replaces nothing that is kept, what is asked twice does', async () => {
  const answers = new Answers(createNodeMetrics(createRegistry('model-api')), 20_000)
  const ask = (horizon: number) =>
    answers.answer('default/m', loaded, readQuestion(String(horizon), {}))
  const first = await ask(20)
  for (let horizon = 21; horizon < 120; horizon++) await ask(horizon)
  expect(await ask(20)).toBe(first)
  const again = await ask(119)
  expect(await ask(119)).toBe(again)
})

test('the largest answer lets others through while it is written', async () => {
  const answers = new Answers(createNodeMetrics(createRegistry('model-api')))
  const question = readQuestion('10000', { level: '1,10,20,30,40,50,60,70,80,90' })
  let turns = 0
  let over = false
  const large = Promise.resolve(answers.answer('default/m', loaded, question)).finally(() => {
    over = true
  })
  while (!over) {
    await nextTurn()
    turns += 1
  }
  const body = JSON.parse((await large).toString()) as Body
  expect(body.intervals?.[9]?.upper).toHaveLength(10_000)
  expect(turns).toBeGreaterThan(20)
})

test('the largest answer is computed once for all who ask at the same time', async () => {
  const answers = new Answers(createNodeMetrics(createRegistry('model-api')))
  const question = readQuestion('10000', { level: '80' })
  const asked = [1, 2, 3].map(() => answers.answer('default/m', loaded, question))
  const [first, ...others] = await Promise.all(asked)
  for (const other of others) expect(other).toBe(first)
})

test('a version that was warmed answers as any other, for what was asked of its model', async () => {
  const [given, plain] = [{ family: 'automatic' }, { level: '80' }]
  const answers = new Answers(createNodeMetrics(createRegistry('model-api')))
  await ask('40', plain, answers, loadedVersion(given))
  const next = { ...loadedVersion(given), version: 2 }
  await answers.warm('default/m', next)
  const levels = { level: '50,99' }
  expect(await ask('40', levels, answers, next)).toEqual(await ask('40', levels, undefined, next))
})

async function ask(
  horizon: string,
  query: Record<string, string> = {},
  answers = new Answers(createNodeMetrics(createRegistry('model-api'))),
  version = loaded,
): Promise<Body> {
  const bytes = await answers.answer('default/m', version, readQuestion(horizon, query))
  return JSON.parse(bytes.toString()) as Body
}

function loadedVersion(given: unknown = quickSpec): LoadedModel {
  const spec = parseSpec(given)
  if (spec.kind === 'refused') throw new Error(spec.reason.detail)
  const fitted = fitModel({ y: Float64Array.from(shortSeries()) }, spec.value, {
    seed: 1,
    workMax: 1e9,
  })
  if (fitted.kind === 'refused') throw new Error(fitted.reason.detail)
  return {
    kind: 'one',
    version: 1,
    model: fitted.value,
    sizeBytes: 1,
    sha256: 'a',
    calendar: { start: '2024-01-01', frequency: 'daily', steps: 60 },
    bounds: undefined,
  }
}
