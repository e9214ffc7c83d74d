import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/index.ts'
import { never, rejectionOf } from './backend.ts'
import type { Bench } from './conformance.ts'

export function recordTests(bench: Bench): void {
  describe('records', () => {
    const newScope = () => ({ collection: 'versions', scope: `default/${randomUUID()}` })

    test('a record is kept, replaced and deleted', async () => {
      const ref = { ...newScope(), id: '000000000007' }
      expect(await bench.store().getRecord(ref, never)).toBeUndefined()
      await bench.store().putRecord({ ...ref, value: '{"version":7}' }, never)
      await bench.store().putRecord({ ...ref, value: '{"version":7,"text":"Ä\\u0000€😀"}' }, never)
      expect(await bench.store().getRecord(ref, never)).toEqual({
        ...ref,
        value: '{"version":7,"text":"Ä\\u0000€😀"}',
      })
      await bench.store().deleteRecord(ref, never)
      await bench.store().deleteRecord(ref, never)
      expect(await bench.store().getRecord(ref, never)).toBeUndefined()
    })

    test('a list has the newest first, in pages, over thousands of numbers', async () => {
      const scope = newScope()
      const ids = [1, 2, 998, 999, 1_000, 1_001, 5_000, 123_456_789].map(padded)
      for (const id of ids) await bench.store().putRecord({ ...scope, id, value: id }, never)
      const seen: string[] = []
      const sizes: number[] = []
      for (let after: string | null = null; ; ) {
        const page = await bench.store().listRecords(scope, { after, limit: 3 }, never)
        seen.push(...page.records.map((record) => record.value))
        sizes.push(page.records.length)
        after = page.next
        if (after === null) break
      }
      expect(seen).toEqual([...ids].reverse())
      expect(sizes).toEqual([3, 3, 2])
    })

    test('ids of any length keep the order of their text', async () => {
      const scope = newScope()
      const ids = [
        'a',
        'ab',
        'abcdefgh',
        'abcdefghi',
        'abcdefghia',
        'abcdefghj',
        'b',
        'Z',
        '~',
        '!',
      ]
      for (const id of ids) await bench.store().putRecord({ ...scope, id, value: '' }, never)
      const { records } = await bench.store().listRecords(scope, { after: null, limit: 50 }, never)
      expect(records.map((record) => record.id)).toEqual([...ids].sort().reverse())
      const page = { after: 'abcdefghia', limit: 2 }
      const rest = await bench.store().listRecords(scope, page, never)
      expect(rest.records.map((record) => record.id)).toEqual(['abcdefghi', 'abcdefgh'])
      expect(rest.next).toBe('abcdefgh')
    })

    test('scopes and collections do not see each other', async () => {
      const [a, b] = [newScope(), newScope()]
      await bench.store().putRecord({ ...a, id: '1', value: 'a' }, never)
      await bench.store().putRecord({ ...a, collection: 'jobs', id: '2', value: 'j' }, never)
      const page = { after: null, limit: 10 }
      expect((await bench.store().listRecords(b, page, never)).records).toEqual([])
      expect(await bench.store().listRecords(a, page, never)).toEqual({
        records: [{ ...a, id: '1', value: 'a' }],
        next: null,
      })
    })

    test('a deleted record leaves the list', async () => {
      const scope = newScope()
      for (const id of ['1', '2', '3'])
        await bench.store().putRecord({ ...scope, id, value: id }, never)
      await bench.store().deleteRecord({ ...scope, id: '2' }, never)
      const { records } = await bench.store().listRecords(scope, { after: null, limit: 10 }, never)
      expect(records.map((record) => record.id)).toEqual(['3', '1'])
    })

    test('a value at the limit is kept and one above it is refused', async () => {
      const ref = { ...newScope(), id: '1' }
      const value = 'é'.repeat(limits.valueBytesMax / 2)
      await bench.store().putRecord({ ...ref, value }, never)
      expect((await bench.store().getRecord(ref, never))?.value).toBe(value)
      const error = await rejectionOf(
        bench.store().putRecord({ ...ref, value: `${value}x` }, never),
      )
      expect(error).toBeInstanceOf(RangeError)
    })

    test('a key that is not plain text is a bug', async () => {
      for (const id of ['', 'a b', 'ü', 'x'.repeat(201)]) {
        const ref = { ...newScope(), id }
        expect((await rejectionOf(bench.store().getRecord(ref, never))).name).toBe('Bug')
      }
    })
  })
}

function padded(version: number): string {
  return String(version).padStart(12, '0')
}
