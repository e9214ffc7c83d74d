import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { NotUnpacked, unpacked } from '../../src/fitting/predict/unpacked.ts'

const text = 'store,date\n'.repeat(1_000)

async function* inPieces(bytes: Uint8Array, size: number, error?: Error) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  if (error) throw error
}

async function allOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of unpacked(content)) parts.push(part)
  return Buffer.concat(parts).toString()
}

test.each([1, 2, 7, 100_000])(
  'a file in pieces of %i bytes is the same, packed or not',
  async (size) => {
    expect(await allOf(inPieces(gzipSync(text), size))).toBe(text)
    expect(await allOf(inPieces(Buffer.from(text), size))).toBe(text)
  },
)

test('a file of no bytes, or of one, is what it is', async () => {
  for (const short of ['', 'a']) expect(await allOf(inPieces(Buffer.from(short), 1))).toBe(short)
})

test('one that is cut off or damaged is told', async () => {
  const whole = gzipSync(text)
  const damaged = Buffer.from(whole)
  damaged[whole.length - 5]! ^= 0xff
  for (const bytes of [whole.subarray(0, whole.length - 9), damaged])
    await expect(allOf(inPieces(bytes, 50))).rejects.toThrow(NotUnpacked)
})

test('what goes wrong with the place that it comes from is not the file’s fault', async () => {
  const away = new Error('the bucket is away')
  const cut = gzipSync(text).subarray(0, 40)
  await expect(allOf(inPieces(cut, 10, away))).rejects.toBe(away)
  await expect(allOf(inPieces(Buffer.from(text), 100, away))).rejects.toBe(away)
})
