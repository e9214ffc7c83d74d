import { expect, test } from 'vitest'
import { seededRandom } from '../../../shared/src/index.ts'
import { createAttempts } from '../../model-bytes/attempts.ts'
import { damage } from '../../model-bytes/damage.ts'
import { loadStored } from '../../model-bytes/load.ts'
import { flippedBit, readSamples } from '../../model-bytes/samples.ts'
import { spoil } from '../../model-bytes/spoil.ts'
import { consistent, contentOf, storedModel } from '../../model-bytes/stored.ts'
import { trySeeds } from '../../model-bytes/worker-host.ts'

const samples = readSamples()
const withRegressors = ['additive-1.bin', 'arima-2-season.bin']
const never = new AbortController().signal

test('every sample is loaded while nothing is wrong with it', async () => {
  expect(samples.length).toBeGreaterThan(8)
  for (const { name, bytes } of samples) {
    for (const count of [2, 3, 7]) {
      const stored = storedModel(bytes, Math.ceil(bytes.length / count))
      const outcome = String(await loadStored(stored))
      // What regressors will be is nothing that a node knows.
      const expected = withRegressors.includes(name) ? /missing-regressor/ : /^loaded$/
      expect(outcome, name).toMatch(expected)
    }
  }
})

test('a flip is of one bit, and as many flips as there are bits are all different', () => {
  const few = samples.slice(0, 2)
  const bits = few.reduce((sum, { bytes }) => sum + bytes.length * 8, 0)
  const seen = new Set<string>()
  for (let n = 1; n <= bits; n++) {
    const { name, at, bytes } = flippedBit(few, n * 1_000_003)
    seen.add(`${name} ${at}`)
    const whole = few.find((sample) => sample.name === name)!.bytes
    expect(bytes[at >> 3]! ^ whole[at >> 3]!).toBe(1 << (at & 7))
  }
  expect(seen.size).toBe(bits)
})

test('spoilt bytes are others, and a damaged blob is another one', () => {
  const random = seededRandom(1)
  const all = samples.map(({ bytes }) => storedModel(bytes, 100))
  for (let i = 0; i < 3_000; i++) {
    const stored = all[i % all.length]!
    const content = contentOf(stored)
    expect(spoil(content, all.map(contentOf), random).bytes).not.toEqual(content)
    expect(damage(stored, all, random).stored).not.toEqual(stored)
  }
})

test('a version whose record names other content is noticed by the record alone', async () => {
  const [other, one] = samples.map(({ bytes }) => storedModel(bytes, 100))
  const swapped = { ...other!, record: one!.record }
  expect(String(await loadStored(swapped))).toContain('checksum: the stored bytes have')
  expect(await loadStored({ ...one!, record: one!.record })).toBe('loaded')
})

test('a large model is verified, too, though another thread decodes it', async () => {
  const content = new Uint8Array(3_000_000).map((_, i) => (i * i) >> 8)
  const stored = storedModel(content, 262_144)
  // It is no model; but what is told first is whether it is what was written.
  expect(String(await loadStored(stored))).toContain('undecodable')
  const flipped = content.with(2_000_000, content[2_000_000]! ^ 4)
  expect(String(await loadStored(consistent(stored, flipped)))).toContain('checksum: the stored')
})

test('what is loaded though it is damaged is told, and what fails for another reason', async () => {
  expect(await createAttempts(samples)(1)).toEqual([])
  const careless = await createAttempts(samples, async () => 'loaded')(1)
  expect(careless).toEqual([
    expect.stringMatching(/^bit \d+ of .* flipped: it was loaded$/),
    expect.stringMatching(/^bit \d+ of .* flipped, sealed: it was loaded$/),
    expect.stringMatching(/: it was loaded$/),
  ])
  const broken = await createAttempts(samples, async () => new TypeError('no such field'))(1)
  expect(broken).toHaveLength(3)
})

test('a seed that hangs, throws or eats all memory is told, and the others are still tried', async () => {
  const worker = new URL('./workers/hangs-and-dies.ts', import.meta.url)
  const violations = await trySeeds([1, 2, 3, 4, 5, 6, 7], never, { worker, hangMs: 4_000 })
  expect(violations.map((text) => text.split('\n')[0])).toEqual([
    'seed 2: it hung for 4000 ms',
    'seed 4: it killed its thread: Error: four',
    expect.stringMatching(/^seed 6: it killed its thread: .*memory/),
  ])
}, 60_000)
