import { expect, test } from 'vitest'
import { readQuestion } from '../../src/serving/question.ts'

test('a plain question has no levels and no times', () => {
  expect(readQuestion('500', {})).toEqual({
    horizon: 500,
    levels: [],
    timestamps: false,
    load: false,
    series: null,
    key: '500||false',
  })
})

test('loading on demand does not change the answer’s key', () => {
  const query = { level: '80,97.5', timestamps: 'true' }
  const plain = readQuestion('5', query)
  expect(plain).toMatchObject({ levels: [80, 97.5], timestamps: true })
  expect(readQuestion('5', { ...query, load: 'true' }).key).toBe(plain.key)
})

test.each(['0', '-1', '1.5', '1e3', '10001', '', 'ten', '0x10'])(
  'the horizon %j is refused',
  (horizon) => {
    expect(() => readQuestion(horizon, {})).toThrow(
      expect.objectContaining({ status: 400, field: 'horizon' }),
    )
  },
)

test.each(['', '0', '100', '95,80', '80,80', '80,', 'x', '1e1', '1,2,3,4,5,6,7,8,9,10,11'])(
  'the levels %j are refused',
  (level) => {
    expect(() => readQuestion('5', { level })).toThrow(
      expect.objectContaining({ status: 400, field: 'level' }),
    )
  },
)

test.each([{ level: ['80', '95'] }, { timestamps: '1' }, { load: '' }, { horizon: '3' }])(
  'the query %o is refused',
  (query) => {
    const [field] = Object.keys(query)
    expect(() => readQuestion('5', query)).toThrow(expect.objectContaining({ status: 400, field }))
  },
)
