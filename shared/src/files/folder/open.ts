import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type FilesOptions, filesOver } from '../files.ts'
import type { Files } from '../port.ts'
import { Folder } from './folder.ts'

export type FolderFilesOptions = FilesOptions & {
  /** Made when it is not there. What else is in it is not touched. */
  readonly path: string
}

/**
 * Files in a folder, under their names. Several processes may have the same one, over a network,
 * too. What was written survives the process and the power. Only regular files with names that
 * could have been written are there; links are not followed.
 */
export async function openFolderFiles(options: FolderFilesOptions): Promise<Files> {
  const path = resolve(options.path)
  await mkdir(path, { recursive: true, mode: 0o700 })
  return filesOver(new Folder(path), options)
}
