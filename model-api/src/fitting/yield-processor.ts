import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

/**
 * A fit gets a quarter of a core that a thread that answers wants, too; all of it
 * where nobody else does. Less would let fits starve on a machine that does other things.
 */
const nicer = 5

/** The lowest priority that there is. */
const nicest = 19

/**
 * Lowers the priority of the thread that calls it, not of its process: Linux keeps one for each.
 * Elsewhere nothing can be done, and a fit competes with answers.
 */
export function yieldProcessor(): void {
  try {
    const [thread] = readlinkSync('/proc/thread-self').split('/').slice(-1)
    setPriority(Number(thread), Math.min(nicest, getPriority() + nicer))
  } catch {
    // No such file, or no such right: fits work all the same.
  }
}
