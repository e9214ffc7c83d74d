import { NameTaken, Unavailable } from '../../base/errors.ts'

/** Whether the system says that there is no such file, or a folder in its place. */
export function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP'].includes(codeOf(error))
}

/** What the port says of a failure to read, list or remove. */
export function unavailable(error: unknown): unknown {
  const code = codeOf(error)
  if (code === '') return error
  return new Unavailable('files', `the folder: ${(error as Error).message}`, { cause: error })
}

/** The same for a failure to put a file in place. */
export function refusalOfPlace(name: string, error: unknown): unknown {
  const isTaken = ['EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error))
  if (isTaken) return new NameTaken(`${name} is a folder, or needs one where a file is`)
  return unavailable(error)
}

export function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : ''
}
