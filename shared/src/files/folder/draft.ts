import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Draft } from '../backend.ts'
import { codeOf, refusalOfPlace, unavailable } from './faults.ts'
import { etagOf } from './info.ts'

/** Places that may be taken away again, by who removes the last file of a folder. */
const placesTriedMax = 5

/** A file under a name of its own, until it is whole, on the disk, and renamed. */
export async function beginDraft(of: {
  readonly drafts: string
  readonly root: string
  readonly name: string
}): Promise<Draft> {
  const path = join(of.drafts, randomUUID())
  const handle = await open(path, 'wx', 0o600)
  return {
    append: async (bytes) => {
      try {
        await handle.writeFile(bytes)
      } catch (error) {
        throw unavailable(error)
      }
    },
    finish: async () => {
      try {
        await handle.sync()
        const about = await handle.stat({ bigint: true })
        await handle.close()
        await place(path, of.root, of.name)
        return etagOf(about)
      } catch (error) {
        throw refusalOfPlace(of.name, error)
      }
    },
    discard: async () => {
      await closed(handle)
      await rm(path, { force: true })
    },
  }
}

async function place(draft: string, root: string, name: string): Promise<void> {
  const path = join(root, name)
  for (let tried = 1; ; tried += 1) {
    try {
      await makeFolders(root, dirname(name))
      await rename(draft, path)
      break
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || tried === placesTriedMax) throw error
    }
  }
  await syncFolder(dirname(path))
}

/** One by one below the root, each made to last; the root itself has to be there. */
async function makeFolders(root: string, below: string): Promise<void> {
  if (below === '.') return
  let folder = root
  for (const part of below.split('/')) {
    const parent = folder
    folder = join(parent, part)
    const isNew = await mkdir(folder, { mode: 0o700 }).then(
      () => true,
      (error) => {
        if (codeOf(error) === 'EEXIST') return false
        throw error
      },
    )
    if (isNew) await syncFolder(parent)
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Closing twice is no fault here: the file may have been closed before it could be placed. */
async function closed(handle: FileHandle): Promise<void> {
  await handle.close().catch(() => {})
}
