import { expect, test } from 'vitest'
import { limits } from '../../src/index.ts'
import { never } from '../store/backend.ts'
import { textContent } from './backend.ts'
import type { Bench } from './conformance.ts'

const names = ['l/a-b', 'l/a/b', 'l/a/b-c/d', 'l/a/c', 'l/a.b', 'l/a0', 'l/b', 'l/B', 'l/_/x', 'lm']

export function listTests(bench: Bench): void {
  const all = async (prefix: string, limit: number) => {
    const found: string[] = []
    let after: string | null = null
    do {
      const page = await bench.files().list({ prefix, after, limit }, never)
      expect(page.files.length).toBeLessThanOrEqual(limit)
      found.push(...page.files.map(({ name }) => name))
      after = page.next
    } while (after !== null)
    return found
  }

  test('lists have every file once, in the order of names, on pages of any size', async () => {
    for (const name of names) await bench.files().write(name, textContent(name), never)
    for (const limit of [1, 2, 3, 100])
      expect(await all('l/', limit)).toEqual(names.filter((name) => name !== 'lm').sort())
    expect(await all('l', 100)).toEqual([...names].sort())
    expect(await all('l/a', 2)).toEqual(names.filter((name) => name.startsWith('l/a')).sort())
    expect(await all('l/a/b', 2)).toEqual(['l/a/b', 'l/a/b-c/d'])
    expect(await all('nothing/', 2)).toEqual([])
    // A page that is full and the last one says so: nobody asks for one that is empty.
    const full = await bench.files().list({ prefix: 'l/a/', after: null, limit: 3 }, never)
    expect([full.files.length, full.next]).toEqual([3, null])
  })

  test('a list goes on after a name that is not there any more', async () => {
    const { list, remove, info } = bench.files()
    await remove('l/a/b', never)
    const page = await list({ prefix: 'l/', after: 'l/a/b', limit: 2 }, never)
    expect(page.files.map(({ name }) => name)).toEqual(['l/a/b-c/d', 'l/a/c'])
    expect(page.files[1]).toEqual(await info('l/a/c', never))
    expect(page.next).toBe('l/a/c')
  })

  test('a page is never longer than the limit, and a last page says so', async () => {
    const count = limits.pageItemsMax + 1
    const many = Array.from({ length: count }, (_, i) => `many/${String(i).padStart(4, '0')}`)
    await Promise.all(many.map((name) => bench.files().write(name, textContent(name), never)))
    const asked = { prefix: 'many/', after: null, limit: 10_000 }
    const page = await bench.files().list(asked, never)
    expect(page.files).toHaveLength(limits.pageItemsMax)
    const last = await bench.files().list({ ...asked, after: page.next }, never)
    expect(last.files.map(({ name }) => name)).toEqual([many.at(-1)])
    expect(last.next).toBeNull()
  })
}
