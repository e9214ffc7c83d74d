import { Missing, NameTaken, Stalled, TooLarge, Unavailable } from '@almanac/shared'
import { fitRegression } from '@almanac/tables'
import { encodeRegression, type RegressionSpec } from '@almanac/tables/regress'
import { expect, test } from 'vitest'
import type { FileReader } from '../../src/base/context.ts'
import { predictFile } from '../../src/fitting/predict/predict-file.ts'

const spec: RegressionSpec = {
  ...{ target: 'sold', features: [{ column: 'store', type: 'category' }] },
  model: { kind: 'linear' },
}
const fitted = fitRegression(
  spec,
  ['a', 'b'].map((store) => new Map(Object.entries({ store, sold: '5' }))),
)
if (fitted.kind === 'refused') throw new Error(fitted.faults[0]?.detail)
const model = encodeRegression(fitted.value)
const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Predicts a file that comes in these pieces; the text that is written, and what came of it. */
async function predicted(pieces: readonly string[], fault?: { read?: Error; write?: Error }) {
  let text = ''
  let stood = 0
  const info = { name: 'rows.csv', sizeBytes: 1, modifiedAt: '', etag: 'e' }
  const content = async function* () {
    for (const piece of pieces) yield bytesOf(piece)
    if (fault?.read) throw fault.read
  }
  const files = {
    read: async () => ({ info, content: content() }),
    write: async (_name: string, given: AsyncIterable<Uint8Array>) => {
      for await (const part of given) text += Buffer.from(part).toString()
      if (fault?.write) throw fault.write
      return { sizeBytes: text.length, sha256: 's' }
    },
  } as unknown as FileReader
  const made = await predictFile(files, {
    prediction: {
      ...{ file: 'rows.csv', etag: 'e', into: 'out.csv', result: null },
      model: { blob: 'm', sha256: 's' },
    },
    ...{ model, told: { fraction: 0, rows: 0 }, signal: AbortSignal.timeout(20_000) },
    mustStand: async () => {
      stood += 1
    },
  })
  return { made, text, stood }
}

const answered = 'store,prediction,error\na,5,\nb,5,\na,5,\n'

test.each([
  ['in one piece', ['store\na\nb\na\n']],
  ['without a last line break', ['store\na\nb\na']],
  ['in many', ['store\n', 'a\nb', '\n', 'a\n']],
  ['in pieces, of which none ends with its line', ['sto', 're\na', '\nb\n', 'a']],
])('a file that comes %s has an answer for each row, in order', async (_how, pieces) => {
  const { made, text, stood } = await predicted(pieces)
  expect(text.replaceAll(/5\.0*\d*|4\.9+\d*/g, '5')).toBe(answered)
  expect(made).toMatchObject({ kind: 'made', result: { rows: 3, predicted: 3, unpredicted: [] } })
  expect(stood).toBe(1)
})

test.each([
  [{ read: new Missing('gone') }, 'no-file'],
  [{ write: new NameTaken('out.csv is a folder') }, 'name-taken'],
  [{ write: new TooLarge(9) }, 'too-large'],
])('%o is for its owner to mend', async (fault, reason) => {
  expect((await predicted(['store\na\n'], fault)).made).toMatchObject({ kind: 'refused', reason })
})

test.each([
  { read: new Stalled('slow') },
  { write: new Stalled('slow') },
  { read: new Unavailable('files', 'away') },
])('%o is tried again', async (fault) => {
  await expect(predicted(['store\na\n'], fault)).rejects.toThrow(Unavailable)
})
