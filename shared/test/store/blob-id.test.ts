import { expect, test } from 'vitest'
import { mintBlobId } from '../../src/index.ts'
import { createBlobIdMint } from '../../src/store/blob-id.ts'

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('ids ascend, differ and are version 7 UUIDs, many in a millisecond too', () => {
  const ids = Array.from({ length: 20_000 }, () => mintBlobId())
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toEqual([...ids].sort())
  for (const id of ids) expect(id).toMatch(pattern)
})

test('the first 48 bits are the milliseconds of the clock', () => {
  const mint = createBlobIdMint(() => Date.parse('2026-11-22T00:00:00Z'))
  expect(Number.parseInt(mint().replaceAll('-', '').slice(0, 12), 16)).toBe(1_795_305_600_000)
})

test('ids go on ascending when the clock stands or goes back', () => {
  let nowMs = 1_000_000
  const mint = createBlobIdMint(() => nowMs)
  const ids = Array.from({ length: 10_000 }, () => mint())
  nowMs = 500_000
  ids.push(mint(), mint())
  nowMs = 2_000_000
  ids.push(mint())
  expect(ids).toEqual([...ids].sort())
  expect(new Set(ids).size).toBe(ids.length)
})

test('two mints with one clock do not make the same id', () => {
  const [a, b] = [createBlobIdMint(() => 5), createBlobIdMint(() => 5)]
  const ids = Array.from({ length: 1_000 }, () => [a(), b()]).flat()
  expect(new Set(ids).size).toBe(ids.length)
})
