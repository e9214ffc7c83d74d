import { expect, test } from 'vitest'
import { type Ask, answerKey, idOf, rememberedAsk } from '../../src/routing/ask.ts'

const ask: Ask = {
  tenant: 'default',
  model: 'm',
  horizon: 3,
  query: 'level=80',
  version: 'serving',
  atLeast: null,
}

test('what is remembered is what would be spelled out, whichever version comes after which', () => {
  const remembered = rememberedAsk(ask)
  expect(idOf(remembered)).toBe(idOf(ask))
  for (const version of [1, 1, 2, 2, 1, 10])
    expect(answerKey(remembered, version)).toBe(answerKey(ask, version))
  expect(answerKey(remembered, 2)).toBe('default/m/2/3?level=80')
})
