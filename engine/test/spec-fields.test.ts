import { expect, test } from 'vitest'
import { flag, listOf, oneOf, parseFields, realNumber, wholeNumber } from '../src/spec-fields.ts'
import { doneValue, refusalOf } from './expect-done.ts'

const fields = {
  length: wholeNumber(1, 9, null),
  share: realNumber(0, 1, 0.5),
  damped: flag(false),
  method: oneOf(['plain', 'robust'], 'plain'),
  periods: listOf(realNumber(1, 100, 1), 3, null),
}
const parse = (spec: Readonly<Record<string, unknown>>) => parseFields('sample', fields, spec)

test('what is left out has its default, in the order of the table, and parses to itself', () => {
  const parsed = doneValue(parse({ method: 'robust' }))
  const text =
    '{"family":"sample","length":null,"share":0.5,"damped":false,"method":"robust","periods":null}'
  expect(JSON.stringify(parsed)).toBe(text)
  expect(JSON.stringify(doneValue(parse(JSON.parse(text))))).toBe(text)
})

test.each([
  [{ length: 0 }, 'out-of-range', '/length'],
  [{ length: 2.5 }, 'out-of-range', '/length'],
  [{ length: '3' }, 'wrong-type', '/length'],
  [{ share: null }, 'wrong-type', '/share'],
  [{ share: Number.NaN }, 'out-of-range', '/share'],
  [{ damped: 1 }, 'wrong-type', '/damped'],
  [{ method: 'other' }, 'out-of-range', '/method'],
  [{ periods: 7 }, 'wrong-type', '/periods'],
  [{ periods: [1, 2, 3, 4] }, 'out-of-range', '/periods'],
  [{ periods: [1, 200] }, 'out-of-range', '/periods/1'],
  [{ periods: [null] }, 'wrong-type', '/periods/0'],
  [{ 'a/b': 1 }, 'unknown-field', '/a~1b'],
])('%j is refused as %s at %s', (spec, code, field) => {
  expect(refusalOf(parse(spec))).toMatchObject({ code, field })
})

test('a field of the prototype is no field, and an inherited one is not read', () => {
  expect(refusalOf(parse(JSON.parse('{"__proto__": 1}'))).code).toBe('unknown-field')
  expect(doneValue(parse(Object.create({ length: 3 }))).length).toBeNull()
})
