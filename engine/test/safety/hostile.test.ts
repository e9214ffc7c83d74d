import { describe, expect, test } from 'vitest'
import { type AnyModel, decodeModel, encodeModel, fitModel, parseSpec } from '../../src/index.ts'
import { uniformAt } from '../../src/numeric/random.ts'
import { sealed } from '../codec/seal.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { cases } from '../family/cases.ts'
import { makeDraw } from './draw.ts'
import { faultOf } from './harmless.ts'
import { hostileBytes } from './hostile.ts'

const run = { seed: 11, workMax: 1e9 }
const mutations = 2_000

describe('bytes that somebody made up', () => {
  for (const [family, examples] of cases) {
    const stored = () =>
      examples.map(({ spec, series }) => {
        const parsed = doneValue(parseSpec({ family, ...spec }))
        return { series, bytes: encodeModel(doneValue(fitModel(series, parsed, run))) }
      })

    test(`of a model of ${family} are refused, or are a model that answers`, () => {
      const models = stored()
      let read = 0
      for (let seed = 1; seed <= mutations; seed++) {
        const { bytes, series } = models[seed % models.length]!
        const hostile = hostileBytes(bytes, makeDraw(seed))
        const horizon = seed % 20 < models.length ? 500 : 20 + (seed % 3)
        expect(faultOf(hostile, series, horizon), `${family}, seed ${seed}`).toBeUndefined()
        if (decodeModel(hostile).kind !== 'refused') read++
      }
      // What is behind the decoder has to be reached, or nothing was tested.
      expect(read).toBeGreaterThan(mutations / 40)
    }, 60_000)

    test(`of a model of ${family}, cut short or mere noise, are refused`, () => {
      const { bytes } = stored()[0]!
      for (let length = 0; length < bytes.length; length += 1 + (length >> 6)) {
        const cut = bytes.subarray(0, length)
        expect(refusalOf(decodeModel(cut)).code).toBe('bad-format')
        if (length >= 28) expect(refusalOf(decodeModel(sealed(cut))).code).toBe('bad-format')
      }
      for (let seed = 1; seed <= 200; seed++) {
        const noise = bytes.map((byte, i) =>
          i < seed % 40 ? byte : Math.floor(256 * uniformAt(seed, 1, i)),
        )
        expect(refusalOf(decodeModel(noise)).code).toBe('bad-format')
      }
    })
  }

  test('that claim billions of elements or bytes cost no memory', () => {
    const spec = doneValue(parseSpec({ family: 'baseline' }))
    const model: AnyModel = doneValue(fitModel({ y: Float64Array.of(1, 2, 3) }, spec, run))
    const bytes = encodeModel(model)
    const before = process.memoryUsage()
    for (let at = 16; at + 4 <= bytes.length - 4; at++) {
      for (const claim of [0x7fffffff, 0x80000000, 0xffffffff]) {
        const greedy = bytes.slice()
        new DataView(greedy.buffer).setUint32(at, claim, true)
        decodeModel(sealed(greedy))
      }
    }
    const { arrayBuffers } = process.memoryUsage()
    expect(arrayBuffers - before.arrayBuffers).toBeLessThan(64 * 1024 * 1024)
  })
})
