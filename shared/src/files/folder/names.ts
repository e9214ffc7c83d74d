import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { isFileName } from '../port.ts'
import { isAbsence } from './faults.ts'

export type NamesAsked = { readonly prefix: string; readonly after: string | null }

/** Entries of one folder that are kept in order at once; for more it is looked at again. */
const entriesMax = 1_000

/**
 * The names of files below a folder, in the order of their bytes. A folder counts with the slash
 * that follows it: so `a-b` is before `a/b`, and `a/b` before `a.b`, as in an object store.
 */
export async function* namesIn(
  root: string,
  asked: NamesAsked,
  below = '',
): AsyncGenerator<string, void, undefined> {
  let last = ''
  for (;;) {
    const entries = await nextEntries(join(root, below), below, last, asked)
    for (const entry of entries) {
      if (entry.endsWith('/')) yield* namesIn(root, asked, entry)
      else yield entry
    }
    if (entries.length < entriesMax) return
    last = entries.at(-1)!
  }
}

/** The first of those that come after `last` and can have names that are asked for. */
async function nextEntries(
  folder: string,
  below: string,
  last: string,
  asked: NamesAsked,
): Promise<readonly string[]> {
  const found = await opendir(folder).catch((error) => {
    // A folder may go with its last file; the root may not.
    if (below !== '' && isAbsence(error)) return []
    throw error
  })
  let entries: string[] = []
  for await (const entry of found) {
    const path = below + entry.name
    // What it is called as a folder is a name as well, so that one check is enough.
    if (!isFileName(path) || !(entry.isFile() || entry.isDirectory())) continue
    const name = entry.isDirectory() ? `${path}/` : path
    if (name <= last || !isWanted(name, asked)) continue
    entries.push(name)
    if (entries.length >= 2 * entriesMax) entries = firstOf(entries)
  }
  return firstOf(entries)
}

const firstOf = (entries: readonly string[]) => [...entries].sort().slice(0, entriesMax)

function isWanted(name: string, { prefix, after }: NamesAsked): boolean {
  if (!name.endsWith('/')) return name.startsWith(prefix) && (after === null || name > after)
  const canBegin = name.startsWith(prefix) || prefix.startsWith(name)
  return canBegin && (after === null || name > after || after.startsWith(name))
}
