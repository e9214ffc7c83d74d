/**
 * Files that users bring: tables of any size, under names of their own. A file is there as a whole
 * or not at all; writing replaces an earlier one of the name in one step, and who reads that one
 * reads on. Methods reject with `Unavailable` when the backend cannot be reached, refuses us or is
 * late (what it did is then unknown), with the signal's reason when the caller gave up, and with a
 * `RangeError` on what is not a file's name.
 */
export interface Files {
  /** The largest file that is taken. */
  readonly bytesMax: number
  /** Where they are in an object store: its bucket, and what their names there begin with. */
  readonly bucket: FilesBucket | null
  /**
   * Writes what `content` gives, in constant memory. When it rejects nothing is left: with
   * `TooLarge` above the size that was set, with `Stalled` when the content does not come, with
   * what the content throws, and with `NameTaken` where the backend has folders and the name is
   * one of them, or needs one where a file is.
   */
  write(name: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<WrittenFile>
  /**
   * The file as it is now. `Missing` when there is none. Its content must be read to its end,
   * returned or aborted; else it is closed after a while, and is `Stalled`. It rejects with
   * `Damaged` when it is not as long as it should be.
   */
  read(name: string, signal: AbortSignal): Promise<OpenFile>
  /** Undefined when there is no such file. */
  info(name: string, signal: AbortSignal): Promise<FileInfo | undefined>
  /**
   * Files whose names begin with `prefix`, in the order of the names' bytes, after `after`. A page
   * never has more than `limits.pageItemsMax`; `next` is null on the last one.
   */
  list(page: FilesAsked, signal: AbortSignal): Promise<FilesPage>
  /** Whether there was one is not told. Doing it twice does no harm. */
  remove(name: string, signal: AbortSignal): Promise<void>
  /** Ends what is under way. */
  close(): Promise<void>
}

export type FilesBucket = { readonly name: string; readonly prefix: string }

export type FileInfo = {
  readonly name: string
  readonly sizeBytes: number
  readonly modifiedAt: string
  /** Another one for every content; not a checksum. */
  readonly etag: string
}

export type WrittenFile = Pick<FileInfo, 'name' | 'sizeBytes' | 'etag'> & {
  /** Of the whole content, lower-case hex. */
  readonly sha256: string
}

export type OpenFile = {
  readonly info: FileInfo
  readonly content: AsyncIterableIterator<Uint8Array>
}

export type FilesAsked = {
  readonly prefix: string
  readonly after: string | null
  readonly limit: number
}

export type FilesPage = { readonly files: readonly FileInfo[]; readonly next: string | null }

const segment = '[A-Za-z0-9_-][A-Za-z0-9._-]*'

/** Like `sales/2024.csv.gz`: ASCII, at most 200 characters, no part begins with a dot. */
export const fileNamePattern = `^(?=.{1,200}$)${segment}(/${segment})*$`
/** What names can begin with. */
export const filePrefixPattern = '^[A-Za-z0-9._/-]{0,200}$'

const nameShape = new RegExp(fileNamePattern)

export const isFileName = (text: string): boolean => nameShape.test(text)
