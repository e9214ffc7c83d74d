import { DatabaseSync } from 'node:sqlite'

/** A file that a process holds as long as it lives; how it dies does not matter. */
export type Lock = { release(): void }

/**
 * Undefined when somebody holds it, in this process or in another one. Makes the file if it is not
 * there, empty, so that a full disk does not stand in the way. Throws where files cannot be locked.
 */
export function tryLock(path: string): Lock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY')
    // The transaction is never ended: the system drops the lock with the process.
    database.exec('BEGIN EXCLUSIVE')
    return { release: () => database.close() }
  } catch (error) {
    database.close()
    if (isBusy(error)) return undefined
    throw error
  }
}

/** The low byte of the result is 5, BUSY, or 6, LOCKED. */
function isBusy(error: unknown): boolean {
  const primary = ((error as { errcode?: number }).errcode ?? 0) & 0xff
  return primary === 5 || primary === 6
}
