import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openFolderFiles } from '../../src/index.ts'
import { never, rejectionOf } from '../store/backend.ts'
import { startChild } from '../support/child.ts'
import { eventually } from '../support/eventually.ts'
import { type FilesUnderTest, textContent, textOf } from './backend.ts'
import { filesConformance } from './conformance.ts'

const opened: string[] = []

afterAll(async () => {
  for (const folder of opened) await rm(folder, { recursive: true, force: true })
})

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-files-'))
  opened.push(folder)
  return join(folder, 'files')
}

async function startFolder(): Promise<FilesUnderTest> {
  const path = await freshFolder()
  const leftovers = async () => (await readdir(join(path, '.partial')).catch(() => [])).length
  return {
    open: (options = {}) => openFolderFiles({ ...options, path }),
    leftovers,
    dieWriting: async (name) => {
      const child = startChild(join(import.meta.dirname, 'children/write.ts'), [path, name])
      await eventually(leftovers, (count) => count > 0)
      await child.kill()
    },
    takeAway: () => rename(path, `${path}-away`),
    giveBack: () => rename(`${path}-away`, path),
    stop: async () => {},
  }
}

filesConformance('files in a folder', startFolder)

test('what others put there is a file where its name is one; links are none', async () => {
  const path = await freshFolder()
  const files = await openFolderFiles({ path })
  await mkdir(join(path, 'by', 'hand'), { recursive: true })
  await writeFile(join(path, 'by', 'hand', 'a.csv'), 'of a hand')
  await writeFile(join(path, 'by', 'not a name'), 'x')
  await writeFile(join(path, '.hidden'), 'x')
  await symlink('/etc/hostname', join(path, 'by', 'link'))
  const page = await files.list({ prefix: '', after: null, limit: 10 }, never)
  expect(page.files.map(({ name }) => name)).toEqual(['by/hand/a.csv'])
  expect(await textOf((await files.read('by/hand/a.csv', never)).content)).toBe('of a hand')
  for (const name of ['by/link', 'by/hand', 'by']) {
    expect(await files.info(name, never)).toBeUndefined()
    expect((await rejectionOf(files.read(name, never))).name).toBe('Missing')
  }
  await files.close()
})

test('a file that grows shorter while it is read is Damaged', async () => {
  const path = await freshFolder()
  const files = await openFolderFiles({ path })
  await writeFile(join(path, 'shorter'), Buffer.alloc(2_000_000))
  const { content } = await files.read('shorter', never)
  await content.next()
  await writeFile(join(path, 'shorter'), 'x')
  expect((await rejectionOf(textOf(content))).name).toBe('Damaged')
  await files.close()
})

test('a folder of more entries than are kept in order at once is listed whole', async () => {
  const path = await freshFolder()
  const files = await openFolderFiles({ path })
  await mkdir(join(path, 'wide'))
  const names = Array.from({ length: 2_500 }, (_, i) => `wide/${i}`)
  await Promise.all(names.map((name) => writeFile(join(path, name), '')))
  const found: string[] = []
  let after: string | null = null
  do {
    const page = await files.list({ prefix: 'wide/', after, limit: 100 }, never)
    found.push(...page.files.map(({ name }) => name))
    after = page.next
  } while (after !== null)
  expect(found).toEqual([...names].sort())
  await files.close()
})

test('a folder that cannot be written is Unavailable', async () => {
  const path = await freshFolder()
  const files = await openFolderFiles({ path })
  await writeFile(join(path, '.partial'), 'in the place of a folder')
  const error = await rejectionOf(files.write('a', textContent('x'), never))
  expect(error).toMatchObject({ name: 'Unavailable', part: 'files' })
  await files.close()
})

test('writers and removers in one folder do not disturb each other', async () => {
  const files = await openFolderFiles({ path: await freshFolder() })
  const turn = async (name: string) => {
    for (let i = 0; i < 20; i += 1) {
      await files.write(name, textContent(name), never)
      expect((await files.info(name, never))?.sizeBytes).toBe(name.length)
      await files.remove(name, never)
    }
  }
  await Promise.all(['busy/deep/a', 'busy/deep/b', 'busy/c'].map(turn))
  await files.close()
})
