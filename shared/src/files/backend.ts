import type { FileInfo } from './port.ts'

/**
 * What a folder or an object store does for `filesOver`, which checks names, bounds and deadlines.
 * Signals abort when a deadline has passed, too; drafts and open files are given up by their own
 * methods.
 */
export interface FilesBackend {
  /** Begins a file that nobody sees until it is finished. */
  begin(name: string): Promise<Draft>
  /** Undefined when there is no such file. */
  open(name: string, signal: AbortSignal): Promise<Opened | undefined>
  find(name: string, signal: AbortSignal): Promise<FileInfo | undefined>
  /** The first `count` in order, whether or not there are more. */
  list(asked: ListAsked, signal: AbortSignal): Promise<readonly FileInfo[]>
  remove(name: string, signal: AbortSignal): Promise<void>
  /** Removes what writers left that began, or were last seen, before this time. */
  sweep(beforeMs: number, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export interface Draft {
  /** The bytes belong to the caller again when it resolves. */
  append(bytes: Uint8Array): Promise<void>
  /** The file is there, and stays, when it resolves with its etag. */
  finish(): Promise<string>
  /** Ends what is under way and leaves nothing. Must be called unless it was finished. */
  discard(signal: AbortSignal): Promise<void>
}

export type Opened = {
  readonly info: FileInfo
  /** Undefined at the end. */
  read(): Promise<Uint8Array | undefined>
  close(): Promise<void>
}

export type ListAsked = {
  readonly prefix: string
  readonly after: string | null
  readonly count: number
}
