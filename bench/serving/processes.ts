import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

/** A server under measurement: a process and all that it started. */
export type Server = {
  readonly pid: number
  readonly logFile: string
  /** From the start of the process to the first answer. */
  readonly startMs: number
  stop(): Promise<void>
}

export type ServerOptions = {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly logFile: string
  /** Cores that it may use, as taskset lists them. */
  readonly cores: string
  /** Whether it answers what it will be asked. */
  readonly isUp: () => Promise<boolean>
}

const run = promisify(execFile)
/** Ray takes half a minute on two cores that have other work. */
const startMsMax = 120_000
const stopMs = 10_000

const running = new Set<() => Promise<void>>()

/** For a run that is interrupted: servers in groups of their own would outlive it. */
export async function stopAllServers(): Promise<void> {
  await Promise.all([...running].map((stop) => stop()))
}

/** Resolves with the first answer; rejects with the end of the log when there is none. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { command, cwd, env, logFile, cores, isUp } = options
  const log = openSync(logFile, 'a')
  const startedMs = performance.now()
  const child = spawn('taskset', ['-c', cores, ...command], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
    // A group of its own, so that its end is the end of all that it started.
    detached: true,
  })
  closeSync(log)
  const { pid } = child
  if (pid === undefined) throw new Error('taskset is not installed')
  const stop = async () => {
    running.delete(stop)
    await stopTree(child, pid)
  }
  running.add(stop)
  while (!(await isUp())) {
    const late = performance.now() - startedMs > startMsMax
    if (late || child.exitCode !== null) {
      await stop()
      const tail = (await readFile(logFile, 'utf8')).slice(-2_000)
      throw new Error(`${command.join(' ')} ${late ? 'does not answer' : 'ended'}:\n${tail}`)
    }
    await delay(10)
  }
  return { pid, logFile, startMs: performance.now() - startedMs, stop }
}

/** A process and all its descendants, the eldest first. */
export async function treeOf(pid: number): Promise<readonly number[]> {
  const children = new Map<number, number[]>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [pid]
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i]!) ?? []))
  return tree
}

export async function commandOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return text.replaceAll('\0', ' ').trim()
}

/** Memory of a tree: RSS summed as `ps` shows it, PSS with what is shared counted once. */
export async function memoryOf(pid: number): Promise<{ rssMb: number; pssMb: number }> {
  const sum = { rssMb: 0, pssMb: 0 }
  for (const each of await treeOf(pid)) {
    const text = await readFile(`/proc/${each}/smaps_rollup`, 'utf8').catch(() => '')
    sum.rssMb += Number(/^Rss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1_024
    sum.pssMb += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1_024
  }
  return sum
}

/** CPU time that a tree has taken; Linux counts it in hundredths of a second. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  let ticks = 0
  for (const each of await treeOf(pid)) {
    const stat = await readFile(`/proc/${each}/stat`, 'utf8').catch(() => '')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
  }
  return ticks / 100
}

/** Resolves when a tree has worked off what it was asked: the next one has the core for itself. */
export async function untilQuiet(pid: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < quietMsMax; waitedMs += lookMs) {
    const before = await cpuSecondsOf(pid)
    await delay(lookMs)
    if ((await cpuSecondsOf(pid)) - before < (lookMs / 1_000) * quietShare) return
  }
}

/** What some do at rest. */
const quietShare = 0.25
const [lookMs, quietMsMax] = [200, 6_000]

/** Disk that a folder takes, in MB. */
export async function diskMb(folder: string): Promise<number> {
  const { stdout } = await run('du', ['-sk', folder])
  return Number(stdout.split('\t')[0]) / 1_024
}

/** True when the answer is 200 and carries something. */
export async function answers(url: string, init: RequestInit = {}): Promise<boolean> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(5_000) })
    return (await response.arrayBuffer()).byteLength > 0 && response.ok
  } catch {
    return false
  }
}

async function stopTree(child: ChildProcess, pid: number): Promise<void> {
  const tree = await treeOf(pid)
  const ended = child.exitCode === null ? once(child, 'exit') : Promise.resolve()
  signal(pid, 'SIGTERM')
  await Promise.race([ended, delay(stopMs)])
  // Helpers of a server may outlive it.
  for (const each of tree) signal(each, 'SIGKILL')
  await Promise.race([ended, delay(stopMs)])
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended already.
  }
}
