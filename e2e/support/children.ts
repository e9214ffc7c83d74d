import { readdir, readFile } from 'node:fs/promises'

/** Processes that read tables, of one process; those that are only waited for are none. */
export async function tableProcesses(of: number): Promise<number[]> {
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || (await parentOf(pid)) !== of) continue
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (command.includes('table-process')) found.push(pid)
  }
  return found
}

export const isAlive = async (pid: number) => (await parentOf(pid)) !== undefined

async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // After the name, which may have anything in it: state and parent.
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return parent === undefined || state === 'Z' ? undefined : Number(parent)
}
