import { describe, expect, test } from 'vitest'
import { readFitBody } from '../../src/api/fit-body.ts'

const read = (body: unknown) =>
  readFitBody(new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)))
const spec = { family: 'baseline', method: 'naive' }
const recipe = {
  ...{ source: { format: 'csv' }, time: { column: 'day' }, target: 'sold' },
  ...{ keys: ['store'], frequency: 'daily' },
}
const bodies = {
  data: { data: [1, null, 3] },
  series: { series: [{ y: [1, 2, 3] }] },
  'many series': {
    series: [
      { key: 'a', y: [1] },
      { key: 'b', y: [-2] },
    ],
  },
  table: { table: { file: 'sales.csv', recipe } },
}

describe('bounds of a fit', () => {
  test.each(Object.entries(bodies))('of %s are kept beside its spec', (_, body) => {
    const bounds = { lower: 0, upper: 12.5 }
    expect(read({ ...body, spec, bounds })).toMatchObject({ kind: 'fit', bounds })
    for (const none of [{}, { bounds: null }])
      expect(read({ ...body, spec, ...none })).toMatchObject({ kind: 'fit', bounds: undefined })
  })

  test('of rows are kept, too', () => {
    const regression = { ...bodies.table, spec: { family: 'regression' }, bounds: { lower: 0 } }
    expect(read(regression)).toMatchObject({ kind: 'fit', bounds: { lower: 0 } })
  })

  test.each<[string, string]>([
    ['7', '/bounds'],
    ['"lower"', '/bounds'],
    ['[0]', '/bounds'],
    ['true', '/bounds'],
    ['{}', '/bounds'],
    ['{"lower":"0"}', '/bounds/lower'],
    ['{"lower":null}', '/bounds/lower'],
    ['{"lower":[0]}', '/bounds/lower'],
    ['{"lower":{"lower":0}}', '/bounds/lower'],
    ['{"upper":1e999}', '/bounds/upper'],
    ['{"lower":-1e300}', '/bounds/lower'],
    ['{"lower":5,"upper":5}', '/bounds/lower'],
    ['{"lower":6,"upper":5}', '/bounds/lower'],
    ['{"min":0}', '/bounds/min'],
    ['{"lower":0,"__proto__":{}}', '/bounds/__proto__'],
  ])('are refused when they are %s', (bounds, field) => {
    for (const body of Object.values(bodies)) {
      const text = `${JSON.stringify({ ...body, spec }).slice(0, -1)},"bounds":${bounds}}`
      expect(read(text)).toMatchObject({ kind: 'fault', status: 400, field })
    }
  })

  test('have the observation of one series told that lies outside, and where', () => {
    const bounds = { lower: 0, upper: 10 }
    expect(read({ data: [1, null, -3], spec, bounds })).toMatchObject({
      ...{ kind: 'fault', status: 422, code: 'out-of-bounds', field: '/data/2' },
      detail: 'Observation 2 is -3, below the lower bound 0.',
      remedy: expect.stringContaining('null'),
    })
    const high = read({ series: [{ y: [1, 11] }], spec, bounds })
    expect(high).toMatchObject({ status: 422, field: '/series/0/y/1' })
    expect(read({ data: [0, 10], spec, bounds })).toMatchObject({ kind: 'fit' })
  })
})
