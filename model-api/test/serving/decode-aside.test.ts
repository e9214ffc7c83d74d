import { createHash } from 'node:crypto'
import { decodeModel, encodeModel, fitModel, forecastModel, parseSpec } from '@almanac/engine'
import { describe, expect, test } from 'vitest'
import { cases } from '../../../engine/test/family/cases.ts'
import { decodeAside } from '../../src/serving/decode-aside.ts'

const soon = () => AbortSignal.timeout(30_000)
const ask = { horizon: 20, quantiles: Float64Array.of(0.1, 0.9) }

/** The bytes in a buffer of their own: a thread takes that. */
function bytesOf(family: string, spec: object, series: Parameters<typeof fitModel>[0]) {
  const parsed = parseSpec({ family, ...spec })
  if (parsed.kind === 'refused') throw new Error(parsed.reason.detail)
  const fitted = fitModel(series, parsed.value, { seed: 1, workMax: 1e9 })
  if (fitted.kind === 'refused') throw new Error(fitted.reason.detail)
  return new Uint8Array(encodeModel(fitted.value))
}

describe('a model that was decoded in a thread', () => {
  const all = [...cases].flatMap(([family, list]) =>
    list.map(({ name, spec, series }) => ({ family, name, spec, series })),
  )
  test.each(all)('is the same: $family, $name', async ({ family, spec, series }) => {
    const bytes = bytesOf(family, spec, series)
    const here = decodeModel(bytes)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const there = await decodeAside(bytes.slice(), soon())
    if (here.kind === 'refused' || there.kind === 'refused') throw new Error('it can be decoded')
    expect(there.sha256).toBe(sha256)
    const needsX = Object.keys(series.x ?? {}).length > 0
    if (!needsX) expect(forecastModel(there.model, ask)).toEqual(forecastModel(here.value, ask))
    expect(encodeModel(there.model)).toEqual(encodeModel(here.value))
  })
})

test('bytes that are no model are refused, as they are without a thread', async () => {
  const bytes = new Uint8Array(2_000_000)
  const here = decodeModel(bytes)
  expect(await decodeAside(bytes, soon())).toMatchObject({
    kind: 'refused',
    reason: here.kind === 'refused' ? here.reason : {},
  })
})

test('decoding in a thread is given up when nobody wants it any more', async () => {
  const stop = new AbortController()
  const work = decodeAside(new Uint8Array(2_000_000), stop.signal)
  stop.abort(new Error('not wanted'))
  await expect(work).rejects.toThrow('not wanted')
})
