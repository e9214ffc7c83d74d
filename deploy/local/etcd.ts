import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { spawnServer } from './child.ts'
import { installEtcd } from './etcd/install.ts'
import { freePort } from './process.ts'
import { type LocalServer, localServer } from './server.ts'

export type EtcdOptions = {
  /** Kept between starts; a second start finds data, ports and identity of the first. */
  readonly dataDir: string
  /** Of the first member. Default: a free one, kept in `dataDir`. */
  readonly clientPort?: number
  readonly members?: 1 | 3
  /** Of all members, for a first start; in place of the two above. */
  readonly ports?: readonly MemberPorts[]
}

export type MemberPorts = {
  readonly clientPort: number
  readonly peerPort: number
  /** The HTTP proxy on loopback by which it calls the others, when something stands between. */
  readonly peerProxyPort?: number
}

/** One process of etcd. */
export interface EtcdMember extends LocalServer {
  readonly name: string
  readonly endpoint: string
}

/** A cluster of one or three members; every method means all of them. */
export interface Etcd {
  readonly endpoints: readonly string[]
  readonly members: readonly EtcdMember[]
  readonly pids: readonly number[]
  start(): Promise<void>
  stop(): Promise<void>
  kill(): Promise<void>
  /** SIGKILL and a new start on the same data. */
  restart(): Promise<void>
  freeze(): void
  thaw(): void
}

/**
 * Starts etcd on loopback, without containers, and resolves when all members are healthy. Builds
 * the binary when there is none (see `installEtcd`). Rejects with the end of a log when a member
 * does not come up.
 */
export async function startEtcd(options: EtcdOptions): Promise<Etcd> {
  const dataDir = resolve(options.dataDir)
  const binary = await installEtcd()
  await mkdir(dataDir, { recursive: true })
  const topology = await topologyOf(dataDir, options)
  const members = topology.members.map((_, index) => member(binary, dataDir, topology, index))
  const all = async (act: (each: EtcdMember) => Promise<void>) => {
    await Promise.all(members.map(act))
  }
  const etcd: Etcd = {
    endpoints: members.map(({ endpoint }) => endpoint),
    members,
    get pids() {
      return members.flatMap(({ pid }) => pid ?? [])
    },
    start: () => all((each) => each.start()),
    stop: () => all((each) => each.stop()),
    kill: () => all((each) => each.kill()),
    async restart() {
      await etcd.kill()
      await etcd.start()
    },
    freeze: () => members.forEach((each) => void each.freeze()),
    thaw: () => members.forEach((each) => void each.thaw()),
  }
  try {
    await etcd.start()
  } catch (error) {
    await etcd.kill()
    throw error
  }
  return etcd
}

type Topology = {
  /** Makes the cluster's id its own: the ids of two clusters with the same ports would be equal. */
  readonly token: string
  readonly members: readonly MemberPorts[]
}

const startTimeoutMs = 60_000
const stopTimeoutMs = 10_000

/** Members find each other again only at the ports of their first start: so these are kept. */
async function topologyOf(dataDir: string, options: EtcdOptions): Promise<Topology> {
  const file = join(dataDir, 'topology.json')
  const known = await readFile(file, 'utf8').catch(() => undefined)
  if (known !== undefined) return JSON.parse(known) as Topology
  const members = [...(options.ports ?? [])]
  const count = options.ports ? 0 : (options.members ?? 1)
  for (let i = 0; i < count; i++) {
    const wanted = i === 0 ? options.clientPort : undefined
    members.push({ clientPort: wanted ?? (await freePort()), peerPort: await freePort() })
  }
  const topology = { token: randomUUID(), members }
  await writeFile(file, JSON.stringify(topology))
  return topology
}

function member(binary: string, dataDir: string, topology: Topology, index: number): EtcdMember {
  const name = nameOf(index)
  const logFile = join(dataDir, `${name}.log`)
  const endpoint = `http://127.0.0.1:${topology.members[index]!.clientPort}`
  const flags = flagsOf(dataDir, topology, index)
  const { peerProxyPort } = topology.members[index]!
  const env =
    peerProxyPort === undefined
      ? process.env
      : { ...process.env, HTTP_PROXY: `http://127.0.0.1:${peerProxyPort}`, NO_PROXY: '' }
  const spawn = () => spawnServer(binary, flags, { logFile, env })
  const isUp = () => isHealthy(endpoint)
  const how = { name: 'etcd', logFile, spawn, isUp, startTimeoutMs, stopTimeoutMs, everyMs: 50 }
  return Object.assign(localServer(how), { name, endpoint })
}

const nameOf = (index: number) => `etcd-${index + 1}`

/**
 * Where a member is found by the others. A name that nothing resolves leads to their proxies: etcd
 * calls no proxy for loopback.
 */
export function peerHost({ peerPort, peerProxyPort }: MemberPorts, index: number): string {
  const host = peerProxyPort === undefined ? '127.0.0.1' : `${nameOf(index)}.invalid`
  return `${host}:${peerPort}`
}

function flagsOf(dataDir: string, topology: Topology, index: number): string[] {
  const member = topology.members[index]!
  const client = `http://127.0.0.1:${member.clientPort}`
  const cluster = topology.members.map((each, i) => `${nameOf(i)}=http://${peerHost(each, i)}`)
  const flags = {
    name: nameOf(index),
    'data-dir': join(dataDir, nameOf(index)),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': `http://127.0.0.1:${member.peerPort}`,
    'initial-advertise-peer-urls': `http://${peerHost(member, index)}`,
    'initial-cluster': cluster.join(','),
    'initial-cluster-token': topology.token,
    // History is kept as long as the embedded coordinator keeps it.
    'auto-compaction-mode': 'revision',
    'auto-compaction-retention': '10000',
    'log-level': 'warn',
  }
  return Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)
}

/** What etcd says itself: it has a leader and can commit. */
async function isHealthy(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(2_000) })
    const body = (await response.json()) as { health?: unknown }
    return body.health === 'true'
  } catch {
    return false
  }
}
