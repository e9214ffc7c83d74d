import type { BigIntStats } from 'node:fs'
import type { FileInfo } from '../port.ts'

export function infoOf(name: string, about: BigIntStats): FileInfo {
  return {
    name,
    sizeBytes: Number(about.size),
    modifiedAt: about.mtime.toISOString(),
    etag: etagOf(about),
  }
}

/** Every file that is put in place is a new one, with an inode and a time of its own. */
export function etagOf({ ino, mtimeNs, size }: BigIntStats): string {
  return [ino, mtimeNs, size].map((part) => part.toString(36)).join('-')
}
