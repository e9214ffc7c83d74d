import { lstat, mkdir } from 'node:fs/promises'

/**
 * Makes the folder if it is not there. It may be in a place where everybody can write, so one that
 * somebody else has put there, or may change, is refused; throws with the reason.
 */
export async function prepareRoot(root: string): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const about = await lstat(root)
  if (about.isSymbolicLink()) throw unfit(root, 'is a link', 'Name what it leads to.')
  if (!about.isDirectory()) throw unfit(root, 'is not a folder', 'Name another.')
  const own = process.getuid?.()
  if (own === undefined) return
  if (about.uid !== own)
    throw unfit(root, 'belongs to another user', `Name one of user ${own}, or one that is not yet.`)
  if ((about.mode & othersWrite) !== 0)
    throw unfit(root, 'may be changed by other users', 'Name a folder in it that is not there yet.')
}

/** Of the group, too. */
const othersWrite = 0o022

const unfit = (root: string, why: string, remedy: string) =>
  new Error(`${root}, for temporary files, ${why}. ${remedy}`)
