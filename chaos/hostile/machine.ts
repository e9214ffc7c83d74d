import { mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedCoordinator } from '@almanac/shared'
import { freePort, ManagedProcess } from '../../deploy/local/process.ts'
import { heapAfterCollectionMb } from './heap.ts'

/** What `npm start` starts, to be treated badly. */
export type Machine = {
  readonly host: string
  readonly port: number
  readonly url: string
  readonly token: string
  readonly clusterId: string
  readonly running: () => boolean
  readonly usage: () => Promise<Usage>
  /** What is left on the heap of its main thread after a collection. */
  readonly heapMb: () => Promise<number>
  /** Lines of its log at the level error. */
  readonly errors: () => Promise<readonly string[]>
  readonly close: () => Promise<void>
}

export type Usage = {
  readonly residentMb: number
  readonly openFiles: number
  readonly sockets: number
  readonly threads: number
}

const readyMs = 30_000

/** One process with embedded parts and two nodes, on a data folder of its own. */
export async function startMachine(): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-hostile-'))
  const data = join(folder, 'data')
  const clusterId = await foundCluster(data)
  const port = await freePort()
  const inspectorPort = await freePort()
  const host = '127.0.0.1'
  const url = `http://${host}:${port}`
  const token = 'a-token-that-nobody-guesses'
  const machine = new ManagedProcess({
    name: 'almanac',
    script: 'deploy/local/start.mjs',
    args: ['--port', String(port), '--data', data, '--nodes', '2'],
    env: {
      ALMANAC_LOG_LEVEL: 'error',
      ALMANAC_TOKEN: token,
      NODE_OPTIONS: `--inspect=127.0.0.1:${inspectorPort}`,
    },
    url,
    logDir: folder,
    readyPath: '/readyz',
    readyMs,
  })
  const close = async () => {
    await machine.stop()
    await rm(folder, { recursive: true, force: true })
  }
  await machine.start().catch(async (error) => {
    await close()
    throw error
  })
  return {
    host,
    port,
    url,
    token,
    clusterId,
    running: () => machine.running,
    usage: () => usageOf(machine.pid ?? 0),
    heapMb: () => heapAfterCollectionMb(inspectorPort),
    errors: async () => {
      const log = await readFile(machine.logFile, 'utf8')
      return log.split('\n').filter((line) => line.startsWith('{'))
    },
    close,
  }
}

/** The cluster's id is made with the data folder, and told to nobody outside. */
async function foundCluster(data: string): Promise<string> {
  await mkdir(data, { mode: 0o700 })
  const coordinator = await openEmbeddedCoordinator({ path: join(data, 'coordinator.sqlite') })
  const clusterId = await coordinator.clusterId(AbortSignal.timeout(5_000))
  await coordinator.close()
  return clusterId
}

/** From Linux's own books, so that a process that does not answer can be looked at too. */
async function usageOf(pid: number): Promise<Usage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const number = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0)
  const open = await readdir(`/proc/${pid}/fd`)
  const links = open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))
  const sockets = (await Promise.all(links)).filter((link) => link.startsWith('socket:'))
  return {
    residentMb: Math.round(number('VmRSS') / 1_024),
    openFiles: open.length,
    sockets: sockets.length,
    threads: number('Threads'),
  }
}
