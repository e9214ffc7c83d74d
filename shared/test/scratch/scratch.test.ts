import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openScratch } from '../../src/index.ts'
import type { ScratchOptions } from '../../src/scratch/open.ts'
import { type Child, startChild } from '../support/child.ts'
import { eventually } from '../support/eventually.ts'

// Processes take their time to start on a machine that has other things to do.
vi.setConfig({ testTimeout: 60_000 })

const program = fileURLToPath(new URL('children/hold.ts', import.meta.url))
/** As of a process that died long ago. */
const dead = 'a1b2c3d4-0000-4000-8000-0123456789ab'

let folder: string
let root: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-scratch-'))
  root = join(folder, 'scratch')
})
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  await rm(folder, { recursive: true, force: true })
})
const ends: (() => Promise<unknown>)[] = []

async function open(options: Partial<ScratchOptions> = {}) {
  const scratch = await openScratch({ path: root, ...options })
  ends.push(() => scratch.close())
  return scratch
}

/** A process with a folder in the root, and that folder. */
async function hold(): Promise<{ child: Child; path: string }> {
  const child = startChild(program, [root])
  ends.push(() => child.kill())
  return { child, path: await lineOf(child, 0) }
}

const lineOf = async (child: Child, n: number) =>
  (await eventually(
    () => child.lines[n],
    (line) => line !== undefined,
    40_000,
  ))!

const isThere = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  )

describe('the folders of a process', () => {
  test('are empty, its own, and for no other user to read', async () => {
    const scratch = await open()
    const [one, two] = [await scratch.make(), await scratch.make()]
    expect(one).not.toBe(two)
    expect(await readdir(one)).toEqual([])
    for (const path of [one, dirname(one), root])
      expect((await stat(path)).mode & 0o777).toBe(0o700)
  })

  test('go when it closes, whatever is in them', async () => {
    const scratch = await openScratch({ path: root })
    await writeFile(join(await scratch.make(), 'table'), 'a,b')
    await scratch.close()
    expect(await readdir(root)).toEqual([])
  })

  test('can be made again after something has cleaned up all of them', async () => {
    const scratch = await open()
    await rm(dirname(await scratch.make()), { recursive: true })
    expect(await isThere(await scratch.make())).toBe(true)
  })
})

describe('what a process left that was killed', () => {
  test('is removed by the next one that starts, and not what lives', async () => {
    const [killed, living] = await Promise.all([hold(), hold()])
    await killed.child.kill()
    expect(await isThere(join(killed.path, 'table'))).toBe(true)

    await open()

    expect(await isThere(dirname(killed.path))).toBe(false)
    expect(await isThere(`${dirname(killed.path)}.lock`)).toBe(false)
    expect(await isThere(join(living.path, 'table'))).toBe(true)
  })

  test('is removed by those that run on', async () => {
    await open({ sweepEveryMs: 20 })
    const [killed, living] = await Promise.all([hold(), hold()])
    await killed.child.kill()
    await eventually(
      () => isThere(dirname(killed.path)),
      (there) => !there,
    )
    expect(await isThere(join(living.path, 'table'))).toBe(true)
  })

  test('is removed where its lock is lost', async () => {
    await mkdir(join(root, dead, 'work-x'), { recursive: true, mode: 0o700 })
    await open()
    expect(await isThere(join(root, dead))).toBe(false)
  })

  test('is removed once, and nobody loses anything, when many start and sweep at once', async () => {
    await mkdir(join(root, dead, 'work-x'), { recursive: true, mode: 0o700 })
    const ofThis = Array.from({ length: 8 }, () => open({ sweepEveryMs: 5 }))
    const others = await Promise.all(Array.from({ length: 3 }, hold))
    const paths = await Promise.all((await Promise.all(ofThis)).map((scratch) => scratch.make()))
    await Promise.all(others.map(({ child }) => lineOf(child, 10)))
    for (const { child } of others) expect(child.lines).not.toContain('gone')
    for (const path of paths) expect(await isThere(path)).toBe(true)
    expect(await isThere(join(root, dead))).toBe(false)
    // A folder and a lock of each.
    expect((await readdir(root)).length).toBe(2 * (paths.length + others.length))
  })
})

describe('in a place where others can write', () => {
  test('a link is not followed, not as the folder and not inside of it', async () => {
    const elsewhere = join(folder, 'elsewhere')
    await mkdir(elsewhere)
    await writeFile(join(elsewhere, 'precious'), 'kept')
    await symlink(elsewhere, root)
    await expect(openScratch({ path: root })).rejects.toThrow(/is a link/)

    await rm(root)
    await mkdir(join(root, dead), { recursive: true, mode: 0o700 })
    await symlink(elsewhere, join(root, dead, 'work-x'))
    const linked = dead.replace('a1', 'b1')
    await symlink(elsewhere, join(root, linked))
    await open()
    expect(await isThere(join(root, dead))).toBe(false)
    expect(await isThere(join(root, linked))).toBe(false)
    expect(await readFile(join(elsewhere, 'precious'), 'utf8')).toBe('kept')
  })

  test('a folder of somebody else is refused', async () => {
    if (process.getuid?.() === 0) {
      await mkdir(root)
      await chown(root, 12_345, 12_345)
    }
    const path = process.getuid?.() === 0 ? root : '/usr'
    await expect(openScratch({ path })).rejects.toThrow(/belongs to another user/)
  })

  test('a folder that others may change is refused', async () => {
    await mkdir(root)
    await chmod(root, 0o770)
    await expect(openScratch({ path: root })).rejects.toThrow(/may be changed by other users/)
  })

  test('a file is refused', async () => {
    await writeFile(root, '')
    await expect(openScratch({ path: root })).rejects.toThrow(/scratch/)
  })
})

test('what else is in the folder stays', async () => {
  await mkdir(join(root, 'notes'), { recursive: true, mode: 0o700 })
  await writeFile(join(root, `${dead}.txt`), '')
  await open()
  expect(await isThere(join(root, 'notes'))).toBe(true)
  expect(await isThere(join(root, `${dead}.txt`))).toBe(true)
})

test('what cannot be removed is told, and keeps nobody from starting', async () => {
  // A folder in the place of a lock cannot be held.
  await mkdir(join(root, `${dead}.lock`), { recursive: true, mode: 0o700 })
  const told: string[] = []
  const scratch = await open({ onEvent: (name) => told.push(name) })
  expect(told).toEqual(['scratch-left'])
  expect(await isThere(await scratch.make())).toBe(true)
})
