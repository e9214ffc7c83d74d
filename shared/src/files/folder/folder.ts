import { constants, lstat, mkdir, open, opendir, rmdir, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { limits } from '../../base/limits.ts'
import type { Draft, FilesBackend, ListAsked, Opened } from '../backend.ts'
import type { FileInfo } from '../port.ts'
import { beginDraft } from './draft.ts'
import { codeOf, isAbsence, unavailable } from './faults.ts'
import { infoOf } from './info.ts'
import { namesIn } from './names.ts'

/** No file's name begins with a dot, so this is nobody's. */
const draftsFolder = '.partial'

export class Folder implements FilesBackend {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async begin(name: string): Promise<Draft> {
    // Not the root: what is gone from under us may be a disk, in whose place nothing should grow.
    const drafts = join(this.#root, draftsFolder)
    try {
      await mkdir(drafts, { mode: 0o700 }).catch(unless('EEXIST'))
      return await beginDraft({ drafts, root: this.#root, name })
    } catch (error) {
      throw unavailable(error)
    }
  }

  async open(name: string): Promise<Opened | undefined> {
    const handle = await open(join(this.#root, name), readOnly).catch((error) => {
      if (isAbsence(error)) return undefined
      throw unavailable(error)
    })
    if (handle === undefined) return await this.#absent()
    const about = await handle.stat({ bigint: true })
    if (!about.isFile()) {
      await handle.close()
      return undefined
    }
    return {
      info: infoOf(name, about),
      close: () => handle.close(),
      read: async () => {
        const buffer = Buffer.allocUnsafeSlow(limits.fileReadBytes)
        try {
          const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, null)
          return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead)
        } catch (error) {
          throw unavailable(error)
        }
      },
    }
  }

  async find(name: string): Promise<FileInfo | undefined> {
    return (await this.#look(name)) ?? (await this.#absent())
  }

  async list(
    { prefix, after, count }: ListAsked,
    signal: AbortSignal,
  ): Promise<readonly FileInfo[]> {
    const files: FileInfo[] = []
    try {
      for await (const name of namesIn(this.#root, { prefix, after })) {
        // It may have been removed since its folder was looked at.
        const info = await this.#look(name)
        if (info !== undefined) files.push(info)
        if (files.length >= count) break
        signal.throwIfAborted()
      }
    } catch (error) {
      throw unavailable(error)
    }
    return files
  }

  async remove(name: string): Promise<void> {
    const path = join(this.#root, name)
    try {
      if ((await this.#look(name)) === undefined) return await this.#absent()
      await unlink(path)
    } catch (error) {
      if (!isAbsence(error)) throw unavailable(error)
    }
    await this.#removeEmptyAbove(path)
  }

  async sweep(beforeMs: number): Promise<void> {
    const drafts = join(this.#root, draftsFolder)
    const folder = await opendir(drafts).catch(unless('ENOENT'))
    for await (const { name } of folder ?? []) {
      const path = join(drafts, name)
      const about = await stat(path).catch(unless('ENOENT'))
      if (about && about.mtimeMs < beforeMs) await unlink(path).catch(unless('ENOENT'))
    }
  }

  async close(): Promise<void> {}

  async #look(name: string): Promise<FileInfo | undefined> {
    try {
      const about = await lstat(join(this.#root, name), { bigint: true })
      return about.isFile() ? infoOf(name, about) : undefined
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw unavailable(error)
    }
  }

  /** Where the folder itself is gone, nothing is known of what is in it. */
  async #absent(): Promise<undefined> {
    await stat(this.#root).catch((error) => {
      throw unavailable(error)
    })
  }

  async #removeEmptyAbove(path: string): Promise<void> {
    for (let folder = dirname(path); folder !== this.#root; folder = dirname(folder)) {
      const isLast = await rmdir(folder).then(
        () => false,
        () => true,
      )
      if (isLast) return
    }
  }
}

/** Links are not followed; a pipe in the place of a file is not waited for. */
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (codeOf(error) === code) return undefined
    throw error
  }
}
