import { describe, expect, test } from 'vitest'
import {
  checkSeries,
  containerFormats,
  decodeModel,
  defaultSpec,
  encodeModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
} from '../src/index.ts'
import { doneValue, refusalOf } from './expect-done.ts'

const spec = doneValue(parseSpec({ family: 'arima', p: 1, q: 0, differenceLag: 0 }))
const lastYear = doneValue(parseSpec({ family: 'arima' }))
const y = Float64Array.from({ length: 40 }, (_, t) => Math.sin(t * t))

describe('a spec', () => {
  test('that is not given is the automatic choice', () => {
    for (const nothing of [undefined, null]) expect(doneValue(parseSpec(nothing))).toBe(defaultSpec)
    expect(defaultSpec).toEqual(doneValue(parseSpec({ family: 'automatic' })))
  })

  test('of the oldest fields alone is ARIMA(7,0,1) of the difference to last year', () => {
    expect(lastYear).toMatchObject({ p: 7, d: 0, q: 1, differenceLag: 365, constant: false })
    const parsed = doneValue(parseSpec({ family: 'arima', p: 2, constant: true }))
    expect(parsed).toEqual({ ...lastYear, p: 2, constant: true })
    expect(doneValue(parseSpec(JSON.parse(JSON.stringify(parsed))))).toEqual(parsed)
  })

  test.each([
    [{ family: 'arima', R: 1 }, 'unknown-field', '/R'],
    [{ family: 'arima', 'a/b': 1 }, 'unknown-field', '/a~1b'],
    [{ family: 'arima', p: '1' }, 'wrong-type', '/p'],
    [{ family: 'arima', p: 1.5 }, 'out-of-range', '/p'],
    [{ family: 'arima', q: -1 }, 'out-of-range', '/q'],
    [{ family: 'arima', p: 33 }, 'out-of-range', '/p'],
    [{ family: 'arima', d: 3 }, 'out-of-range', '/d'],
    [{ family: 'arima', differenceLag: 1e9 }, 'out-of-range', '/differenceLag'],
    [{ family: 'arima', differenceLag: null }, 'wrong-type', '/differenceLag'],
    [{ family: 'arima', constant: 1 }, 'wrong-type', '/constant'],
    [{ family: 'arima', constant: null }, 'wrong-type', '/constant'],
    [{ family: 'prophet' }, 'unknown-family', '/family'],
    [{ family: 'constructor' }, 'unknown-family', '/family'],
    [{}, 'unknown-family', '/family'],
    [[], 'wrong-type', ''],
    ['arima', 'wrong-type', ''],
  ])('%j is refused: %s at %s', (given, code, field) => {
    expect(refusalOf(parseSpec(given))).toMatchObject({ code, field })
  })

  test('with a field or a family that is not known is told those that are', () => {
    const field = refusalOf(parseSpec({ family: 'arima', order: [1, 0, 0] }))
    expect(field.remedy).toContain('p, d, q, differenceLag, constant')
    expect(refusalOf(parseSpec({ family: 'magic' })).detail).toContain('arima')
  })
})

describe('a series', () => {
  test('that is too short is told how long it is and how long it has to be', () => {
    const refusal = checkSeries({ y: new Float64Array(100) }, lastYear)
    expect(refusal).toMatchObject({ code: 'too-short', field: '/y' })
    expect(refusal?.detail).toContain('100 observations')
    expect(refusal?.detail).toContain('at least 376')
  })

  test('of exactly the needed length can be fitted, one shorter cannot', () => {
    const enough = Float64Array.from({ length: 376 }, (_, t) => Math.sin(t * t))
    expect(checkSeries({ y: enough }, lastYear)).toBeUndefined()
    expect(checkSeries({ y: enough.slice(1) }, lastYear)?.code).toBe('too-short')
    expect(fitModel({ y: enough }, lastYear, { seed: 1, workMax: 1e7 }).kind).toBe('done')
  })

  test('with an infinite value is told where', () => {
    const infinite = y.map((value, t) => (t === 7 ? Number.NEGATIVE_INFINITY : value))
    expect(checkSeries({ y: infinite }, spec)).toMatchObject({ code: 'not-finite', field: '/y/7' })
  })

  test('with regressors is refused by a family that takes none', () => {
    const x = { price: y }
    const none = doneValue(parseSpec({ family: 'ets' }))
    expect(checkSeries({ y, x }, none)).toMatchObject({ code: 'no-regressors', field: '/x' })
    expect(refusalOf(fitModel({ y, x }, none, { seed: 1, workMax: 1e7 })).detail).toContain('arima')
    expect(checkSeries({ y, x: {} }, none)).toBeUndefined()
  })
})

describe('a question', () => {
  const model = doneValue(fitModel({ y }, spec, { seed: 1, workMax: 1e7 }))
  const none = new Float64Array(0)

  test.each([0, -1, 1.5, 10_001, Number.NaN, Number.POSITIVE_INFINITY])(
    'for %s steps is refused',
    (horizon) => {
      const refusal = refusalOf(forecastModel(model, { horizon, quantiles: none }))
      expect(refusal).toMatchObject({ code: 'out-of-range', field: '/horizon' })
    },
  )

  test.each([[[0]], [[1]], [[0.5, 0.5]], [[0.9, 0.1]], [[Number.NaN]], [Array(101).fill(0.5)]])(
    'for quantiles %j is refused',
    (values) => {
      const ask = { horizon: 1, quantiles: Float64Array.from(values) }
      expect(refusalOf(forecastModel(model, ask)).field).toBe('/quantiles')
    },
  )

  test('without quantiles is answered by points alone', () => {
    const forecast = doneValue(forecastModel(model, { horizon: 3, quantiles: none }))
    expect(forecast.point.length).toBe(3)
    expect(forecast.quantiles.length).toBe(0)
  })
})

test('levels become the bounds of central intervals, ascending, each once', () => {
  expect([...levelQuantiles([80])]).toEqual([0.1, 0.9])
  expect([...levelQuantiles([95, 80, 80])]).toEqual([0.025, 0.1, 0.9, 0.975])
  expect(() => levelQuantiles([100])).toThrow('level')
})

test('bytes that are no model are refused, and models are written in the last format', () => {
  expect(refusalOf(decodeModel(new Uint8Array(0))).code).toBe('bad-format')
  expect(refusalOf(decodeModel(new TextEncoder().encode('{"p":7}'.repeat(20)))).code).toBe(
    'bad-format',
  )
  const model = doneValue(fitModel({ y }, spec, { seed: 1, workMax: 1e7 }))
  expect(new DataView(encodeModel(model).buffer).getUint32(8, true)).toBe(containerFormats.at(-1))
})

test('a model survives a structured clone', () => {
  const model = doneValue(fitModel({ y }, spec, { seed: 1, workMax: 1e7 }))
  expect(encodeModel(structuredClone(model))).toEqual(encodeModel(model))
})
