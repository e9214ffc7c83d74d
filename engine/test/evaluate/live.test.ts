import { expect, test } from 'vitest'
import { fitModel, liveScale, parseSpec, scoreNews } from '../../src/index.ts'

const run = { seed: 1, workMax: 1e9 }

function naive(y: number[]) {
  const spec = parseSpec({ family: 'baseline', method: 'naive' })
  if (spec.kind === 'refused') throw new Error(spec.reason.detail)
  const fitted = fitModel({ y: Float64Array.from(y) }, spec.value, run)
  if (fitted.kind === 'refused') throw new Error(fitted.reason.detail)
  return fitted.value
}

test('news are compared with what was foreseen of them; what is missing counts nowhere', () => {
  const model = naive([1, 2, 3])
  const news = Float64Array.of(4, Number.NaN, 1)
  expect(scoreNews(model, news)).toEqual({ count: 2, absolute: 1 + 2 })
})

test('a model that foresees nothing of so far has no score', () => {
  expect(scoreNews(naive([1, 2, 3]), new Float64Array(0))).toBe(null)
})

test('what comes long after the data is not compared', () => {
  const model = naive([1, 2, 3])
  const news = new Float64Array(1_001).fill(4)
  expect(scoreNews(model, news)).toEqual({ count: 1_000, absolute: 1_000 })
  news.fill(Number.NaN, 0, 1_000)
  expect(scoreNews(model, news)).toEqual({ count: 0, absolute: 0 })
})

test('the scale is the mean change from one season to the next, where there is any', () => {
  expect(liveScale({ y: Float64Array.of(1, 3, 2) })).toBe(1.5)
  expect(liveScale({ y: Float64Array.of(1, 5, 2, 7, 3), seasons: [2] })).toBe((1 + 2 + 1) / 3)
  expect(liveScale({ y: Float64Array.of(4, 4, 4) })).toBe(null)
  expect(liveScale({ y: Float64Array.of(4) })).toBe(null)
  expect(liveScale({ y: Float64Array.of(0.3, 0.1 + 0.2, 0.3) })).toBe(null)
  expect(liveScale({ y: Float64Array.of(1e-9, 2e-9) })).toBeCloseTo(1e-9, 20)
})
