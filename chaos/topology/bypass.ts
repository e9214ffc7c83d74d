import { readdir, readFile, readlink } from 'node:fs/promises'

/** A process, and the ports that it must reach through proxies alone. */
export type Watched = {
  readonly name: string
  readonly pid: number | undefined
  readonly ports: ReadonlyMap<number, string>
}

/**
 * Connections that go past the proxies, as sentences: what is done to a way does nothing to them.
 * As Linux tells it; elsewhere nothing is known, and the list is empty.
 */
export async function bypasses(all: readonly Watched[]): Promise<string[]> {
  const remotePorts = await remotePortsOfSockets()
  const found = await Promise.all(
    all.map(async ({ name, pid, ports }) => {
      const sockets = pid === undefined ? [] : await socketsOf(pid)
      const reached = sockets.flatMap((socket) => ports.get(remotePorts.get(socket) ?? 0) ?? [])
      return [...new Set(reached)].map((to) => `${name} goes to ${to} past its proxy`)
    }),
  )
  return found.flat()
}

/** Of each established connection on this machine: the port of its other end, by inode. */
async function remotePortsOfSockets(): Promise<ReadonlyMap<string, number>> {
  const table = await readFile('/proc/net/tcp', 'utf8').catch(() => '')
  const ports = new Map<string, number>()
  for (const line of table.split('\n')) {
    const [, , remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/)
    if (state === established) ports.set(inode, Number.parseInt(remote.split(':')[1] ?? '', 16))
  }
  return ports
}

const established = '01'

async function socketsOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`
  const files = await readdir(folder).catch(() => [])
  const targets = await Promise.all(
    files.map((file) => readlink(`${folder}/${file}`).catch(() => '')),
  )
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [])
}
