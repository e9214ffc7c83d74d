import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Files, limits } from '../../src/index.ts'
import { never, rejectionOf } from '../store/backend.ts'
import { eventually } from '../support/eventually.ts'
import {
  bytesOf,
  contentOf,
  daysLater,
  type FilesUnderTest,
  mebibyte,
  textContent,
  textOf,
} from './backend.ts'
import { faultTests } from './conformance-faults.ts'
import { listTests } from './conformance-lists.ts'

export type Bench = { readonly under: () => FilesUnderTest; readonly files: () => Files }

/** Registers what every adapter of files must do. */
export function filesConformance(name: string, start: () => Promise<FilesUnderTest>): void {
  describe(name, () => {
    let under: FilesUnderTest
    let files: Files
    beforeAll(async () => {
      under = await start()
      files = await under.open()
    })
    afterAll(async () => {
      await files?.close()
      await under?.stop()
    })
    const bench: Bench = { under: () => under, files: () => files }
    contentTests(bench)
    writerTests(bench)
    listTests(bench)
    faultTests(bench)
  })
}

const { filePartBytes } = limits
const sizes = [0, 1, filePartBytes - 1, filePartBytes, filePartBytes + 1, 3 * filePartBytes + 5]

function contentTests(bench: Bench): void {
  test.each(sizes)('%d bytes come back as they were written', async (size) => {
    const whole = await bytesOf(contentOf(size, size))
    const written = await bench.files().write('sizes/one', contentOf(size, size), never)
    const sha256 = createHash('sha256').update(whole).digest('hex')
    expect(written).toMatchObject({ name: 'sizes/one', sizeBytes: size, sha256 })
    const { info, content } = await bench.files().read('sizes/one', never)
    expect(info).toMatchObject({ name: 'sizes/one', sizeBytes: size, etag: written.etag })
    expect(Buffer.compare(await bytesOf(content), whole)).toBe(0)
    expect(await bench.files().info('sizes/one', never)).toEqual(info)
    expect(Math.abs(Date.parse(info.modifiedAt) - Date.now())).toBeLessThan(60_000)
  })

  test('pieces of any size become one file', async () => {
    const piece = filePartBytes + 3
    await bench.files().write('pieces', contentOf(3 * piece, 7, piece), never)
    const { content } = await bench.files().read('pieces', never)
    const whole = await bytesOf(contentOf(3 * piece, 7, piece))
    expect(Buffer.compare(await bytesOf(content), whole)).toBe(0)
  })

  test('200 MB pass in memory that does not grow with them', async () => {
    const size = 200 * mebibyte
    const before = process.memoryUsage()
    let mostBytes = 0
    async function* watched(content: AsyncIterable<Uint8Array>) {
      for await (const piece of content) {
        const { rss } = process.memoryUsage()
        mostBytes = Math.max(mostBytes, rss - before.rss)
        yield piece
      }
    }
    const written = await bench.files().write('large', watched(contentOf(size)), never)
    const { content } = await bench.files().read('large', never)
    const sum = createHash('sha256')
    for await (const piece of watched(content)) sum.update(piece)
    expect(sum.digest('hex')).toBe(written.sha256)
    expect(mostBytes).toBeLessThan(120 * mebibyte)
    await bench.files().remove('large', never)
  })

  test('a file that is replaced is another one; who reads the earlier one reads it whole', async () => {
    const size = 2 * mebibyte
    const first = await bench.files().write('replaced', contentOf(size, 1), never)
    const { content } = await bench.files().read('replaced', never)
    const head = await content.next()
    const second = await bench.files().write('replaced', contentOf(size, 2), never)
    expect(second.etag).not.toBe(first.etag)
    const rest = await bytesOf(content)
    const sum = createHash('sha256')
      .update(head.value as Uint8Array)
      .update(rest)
    expect(sum.digest('hex')).toBe(first.sha256)
    expect(await bench.files().info('replaced', never)).toMatchObject({ etag: second.etag })
  })

  test('a removed file is missing; removing it twice does no harm', async () => {
    await bench.files().write('removed/one', textContent('x'), never)
    await bench.files().remove('removed/one', never)
    await bench.files().remove('removed/one', never)
    expect(await bench.files().info('removed/one', never)).toBeUndefined()
    const error = await rejectionOf(bench.files().read('removed/one', never))
    expect(error.name).toBe('Missing')
    // Nothing is left in whose place a file could not be.
    await bench.files().write('removed', textContent('y'), never)
    await bench.files().remove('removed', never)
  })

  const bad = [
    '',
    '/a',
    'a/',
    'a//b',
    '../a',
    'a/../b',
    '.a',
    'a/.b',
    'a b',
    'ä',
    'a\\b',
    'a\0',
    '-\n',
  ]
  test.each([...bad, 'x'.repeat(201)])('%j is refused as a name', async (name) => {
    const files = bench.files()
    for (const call of [
      files.write(name, textContent('x'), never),
      files.read(name, never),
      files.info(name, never),
      files.remove(name, never),
    ])
      expect(await rejectionOf(call)).toBeInstanceOf(RangeError)
  })

  test.each(['-', 'a.b.c', '_/0/-', `${'d/'.repeat(99)}x`, 'x'.repeat(200)])(
    '%j is a name',
    async (name) => {
      await bench.files().write(name, textContent('of ', name), never)
      const { content } = await bench.files().read(name, never)
      expect(await textOf(content)).toBe(`of ${name}`)
      await bench.files().remove(name, never)
    },
  )

  test('a file and others below its name are both kept, or the later is refused', async () => {
    const files = bench.files()
    await files.write('taken/by', textContent('first'), never)
    for (const name of ['taken', 'taken/by/another']) {
      const outcome = await files.write(name, textContent('later'), never).then(
        () => 'kept',
        (error: Error) => error.name,
      )
      expect(['kept', 'NameTaken']).toContain(outcome)
      const isThere = (await files.info(name, never)) !== undefined
      expect(isThere).toBe(outcome === 'kept')
      await files.remove(name, never)
    }
    const { content } = await files.read('taken/by', never)
    expect(await textOf(content)).toBe('first')
    expect(await bench.under().leftovers()).toBe(0)
  })
}

function writerTests(bench: Bench): void {
  test('of writers at once one wins, and its file is whole', async () => {
    const other = await bench.under().open()
    const size = 2 * filePartBytes + 1
    const written = await Promise.all(
      [1, 2, 3, 4].map((seed) =>
        [bench.files(), other][seed % 2]!.write('contested', contentOf(size, seed), never),
      ),
    )
    const { info, content } = await bench.files().read('contested', never)
    const sum = createHash('sha256').update(await bytesOf(content))
    const winner = written.find(({ etag }) => etag === info.etag)
    expect(sum.digest('hex')).toBe(winner?.sha256)
    expect(await bench.under().leftovers()).toBe(0)
    await other.close()
  })

  test('what a writer that died has left is removed when it is old', async () => {
    await bench.under().dieWriting('half/of')
    const atFirst = await bench.under().leftovers()
    expect(atFirst).toBeGreaterThan(0)
    const young = await bench.under().open()
    await young.write('beside', textContent('x'), never)
    expect(await bench.under().leftovers()).toBe(atFirst)
    const old = await bench.under().open({ clock: daysLater })
    await eventually(
      () => bench.under().leftovers(),
      (count) => count === 0,
    )
    expect(await bench.files().info('half/of', never)).toBeUndefined()
    await Promise.all([young.close(), old.close()])
  })
}
