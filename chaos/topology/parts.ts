import { readFile, rename, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { type Cassandra, startCassandra } from '../../deploy/local/cassandra.ts'
import type { EtcdMember } from '../../deploy/local/etcd.ts'
import type { ManagedProcess } from '../../deploy/local/process.ts'
import { noControls } from './hooks/controls.ts'
import type { Part, PartKind } from './topology.ts'

/** What a kind of process can do itself; the rest is the same for all. */
type Controls = {
  readonly name: string
  readonly kind: PartKind
  readonly url: string
  readonly logFile: string
  readonly pid: () => number | undefined
  readonly kill: () => Promise<void>
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
  readonly controlsFile?: string
}

/** How long a process may take to exist, not to be ready. */
const spawnMs = 5_000

function partOf(controls: Controls): Part {
  const { name, kind, url, logFile } = controls
  let isPaused = false
  let inside = noControls
  let starting: Promise<void> | undefined
  const signal = (name: NodeJS.Signals) => {
    const pid = controls.pid()
    if (pid !== undefined) process.kill(pid, name)
  }
  const start = () => {
    starting ??= controls.start().finally(() => {
      starting = undefined
    })
    return starting
  }
  const resume = () => {
    signal('SIGCONT')
    isPaused = false
  }
  return {
    name,
    kind,
    url,
    logFile,
    get pid() {
      return controls.pid()
    },
    get isPaused() {
      return isPaused
    },
    async kill() {
      await controls.kill()
      isPaused = false
    },
    async stop() {
      resume()
      await controls.stop()
    },
    async start() {
      resume()
      await start()
    },
    async spawn() {
      // Why it does not come up is in its log, and that it did not is noticed by `wellAgain`.
      start().catch(() => {})
      const until = performance.now() + spawnMs
      while (controls.pid() === undefined && performance.now() < until) await delay(10)
    },
    pause() {
      signal('SIGSTOP')
      isPaused = true
    },
    resume,
    async control(changed) {
      const { controlsFile } = controls
      if (controlsFile === undefined) throw new Error(`${name} has nothing of ours inside`)
      inside = { ...inside, ...changed }
      await writeFile(`${controlsFile}.new`, JSON.stringify(inside))
      await rename(`${controlsFile}.new`, controlsFile)
    },
    rssBytes: () => rssBytesOf(controls.pid()),
  }
}

export function processPart(
  kind: 'broker' | 'node',
  managed: ManagedProcess,
  controlsFile: string,
): Part {
  return partOf({
    controlsFile,
    name: managed.name,
    kind,
    url: managed.url,
    logFile: managed.logFile,
    pid: () => (managed.running ? managed.pid : undefined),
    kill: () => managed.kill(),
    stop: () => managed.stop(),
    start: () => managed.start(),
  })
}

export function etcdPart(member: EtcdMember): Part {
  return partOf({
    name: member.name,
    kind: 'etcd',
    url: member.endpoint,
    logFile: member.logFile,
    pid: () => member.pid,
    kill: () => member.kill(),
    stop: () => member.stop(),
    start: () => member.start(),
  })
}

/** Starts the database; the part that stands for it outlives its restarts. */
export async function startCqlPart(dataDir: string, port: number): Promise<Part> {
  let cassandra: Cassandra | undefined = await startCassandra({ dataDir, port })
  let starting: Promise<unknown> = Promise.resolve()
  const end = async (how: 'kill' | 'stop') => {
    // While it starts nobody has a hold on it.
    await starting.catch(() => {})
    await cassandra?.[how]()
    cassandra = undefined
  }
  return partOf({
    name: 'cql',
    kind: 'cql',
    url: cassandra.contactPoint,
    logFile: cassandra.logFile,
    pid: () => cassandra?.pid,
    kill: () => end('kill'),
    stop: () => end('stop'),
    async start() {
      if (cassandra) return
      const attempt = startCassandra({ dataDir, port })
      starting = attempt
      cassandra = await attempt
    },
  })
}

async function rssBytesOf(pid: number | undefined): Promise<number | undefined> {
  if (pid === undefined) return undefined
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024
}
