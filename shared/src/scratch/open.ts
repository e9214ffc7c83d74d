import { randomUUID } from 'node:crypto'
import { lstat, mkdir, mkdtemp, opendir, rm, utimes, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { limits } from '../base/limits.ts'
import { type Lock, tryLock } from './lock.ts'
import { prepareRoot } from './root.ts'

/** Where a process puts what need not outlive it. */
export type Scratch = {
  /** A new and empty folder, for whoever asked to remove. */
  make(): Promise<string>
  /** Removes all that this process has left there. */
  close(): Promise<void>
}

export type ScratchOptions = {
  /**
   * Any number of processes of one user may share it, in containers of one machine, too: each has a
   * folder of its own there. Not for a network whose locks other machines do not see.
   */
  readonly path: string
  readonly sweepEveryMs?: number
  /** Told when something could not be removed or made. Must not throw. */
  readonly onEvent?: (name: string, fields: Readonly<Record<string, unknown>>) => void
}

/** A folder, and beside it the file whose lock says that its process lives. */
type Own = { readonly id: string; readonly folder: string; readonly lock: Lock }

/**
 * Removes what processes have left that were killed, now and once an hour, and makes a place for
 * this one. Throws where nothing can be made that is this user's alone; a disk that is full now is
 * told, and tried again by `make`.
 */
export async function openScratch(options: ScratchOptions): Promise<Scratch> {
  const { sweepEveryMs = limits.garbageEveryMs, onEvent = () => {} } = options
  const root = resolve(options.path)
  let own: Promise<Own> | undefined
  let isClosed = false
  const place = (): Promise<Own> => {
    if (isClosed) throw new Error('the scratch was closed')
    own ??= claim(root).catch((error) => {
      own = undefined
      throw error
    })
    return own
  }
  const told = (what: string) => (error: Error) => onEvent(what, { root, cause: error.message })
  const tend = async () => {
    const kept = await own?.catch(() => undefined)
    if (kept) await touch(root, kept)
    await sweep(root, kept?.id, told('scratch-left'))
  }
  try {
    await prepareRoot(root)
    await sweep(root, undefined, told('scratch-left'))
    await place()
  } catch (error) {
    if (!mayPass(error)) throw error
    told('scratch-not-ready')(error as Error)
  }
  let tending: Promise<void> | undefined
  const timer = setInterval(() => {
    tending ??= tend()
      .catch(told('scratch-left'))
      .finally(() => {
        tending = undefined
      })
  }, sweepEveryMs).unref()
  return {
    make: async () => {
      const kept = await place()
      return await mkdtemp(join(kept.folder, 'work-')).catch(async (error) => {
        if (codeOf(error) !== 'ENOENT') throw error
        // Something that cleans up temporary files took it for old.
        own = undefined
        kept.lock.release()
        return await mkdtemp(join((await place()).folder, 'work-'))
      })
    },
    close: async () => {
      clearInterval(timer)
      isClosed = true
      await tending
      const kept = await own?.catch(() => undefined)
      if (kept) await remove(root, kept.id, kept.lock).catch(told('scratch-left'))
    },
  }
}

async function claim(root: string): Promise<Own> {
  await prepareRoot(root)
  for (let tried = 1; ; tried += 1) {
    const id = randomUUID()
    await writeFile(lockOf(root, id), '', { flag: 'wx', mode: 0o600 })
    const lock = tryLock(lockOf(root, id))
    // Another process may have found the new file before it was locked, and have removed it.
    if (lock && (await isThere(lockOf(root, id)))) {
      const folder = join(root, id)
      try {
        await mkdir(folder, { mode: 0o700 })
        return { id, folder, lock }
      } catch (error) {
        await remove(root, id, lock)
        throw error
      }
    }
    lock?.release()
    if (tried === claimsMax) throw new Error(`no place in ${root} after ${claimsMax} tries`)
  }
}

const claimsMax = 10

/** Removes folders whose process is gone. What else is there is nobody's business. */
async function sweep(
  root: string,
  own: string | undefined,
  onError: (error: Error) => void,
): Promise<void> {
  const ids = new Set<string>()
  for await (const { name } of await opendir(root)) {
    const id = entry.exec(name)?.[1]
    if (id !== undefined && id !== own) ids.add(id)
    if (ids.size >= limits.scratchSweptMax) break
  }
  for (const id of ids) {
    try {
      const lock = tryLock(lockOf(root, id))
      if (lock) await remove(root, id, lock)
    } catch (error) {
      onError(error as Error)
    }
  }
}

const entry = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.lock)?$/

/** The lock goes last: what cannot be removed now is found again. Links are not followed. */
async function remove(root: string, id: string, lock: Lock): Promise<void> {
  try {
    await rm(join(root, id), { recursive: true, force: true, maxRetries: 3, retryDelay: 100 })
    await rm(lockOf(root, id), { force: true })
  } finally {
    lock.release()
  }
}

/** What cleans up temporary files goes by their age. The lock is not opened, which would end it. */
async function touch(root: string, { id, folder }: Own): Promise<void> {
  const now = new Date()
  for (const path of [folder, lockOf(root, id)]) await utimes(path, now, now).catch(() => {})
}

const lockOf = (root: string, id: string) => join(root, `${id}.lock`)

const isThere = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  )

const mayPass = (error: unknown) => ['ENOSPC', 'EDQUOT', 'EIO'].includes(codeOf(error))

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : ''
}
