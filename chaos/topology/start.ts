import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MemberPorts, peerHost, startEtcd } from '../../deploy/local/etcd.ts'
import { ManagedProcess } from '../../deploy/local/process.ts'
import { bypasses, type Watched } from './bypass.ts'
import { etcdAdmin } from './etcd-admin.ts'
import { noControls } from './hooks/controls.ts'
import type { Redirects } from './hooks/redirect.ts'
import { linkOver, proxyName, standingToxics } from './link.ts'
import { etcdPart, processPart, startCqlPart } from './parts.ts'
import { startPeerProxies } from './peers/start.ts'
import { stablePorts } from './ports.ts'
import type { Link, Part, Topology, TopologyOptions } from './topology.ts'
import { installToxiproxy } from './toxiproxy/install.ts'
import { startToxiproxy, type Toxiproxy } from './toxiproxy/server.ts'
import { untilWell } from './wellness.ts'

/** Who talks to whom, by name, and where everybody is. */
type Plan = {
  readonly ports: ReadonlyMap<string, number>
  /** Of the proxies, by `proxyName`. */
  readonly proxyPorts: ReadonlyMap<string, number>
  readonly ways: readonly { readonly from: string; readonly to: string }[]
  readonly brokers: readonly string[]
  readonly nodes: readonly string[]
  readonly members: readonly string[]
}

const readyMs = 60_000
/** Of a broker's or node's main thread: little enough to come near to it. */
const heapMb = 512
const preload = join(import.meta.dirname, 'hooks/preload.ts')

/**
 * Starts a fresh cluster in a folder of its own; resolves when it is well. What was started is
 * ended when that fails.
 */
export async function startTopology(options: TopologyOptions): Promise<Topology> {
  const { signal, log = () => {} } = options
  const folder = await mkdtemp(join(tmpdir(), 'almanac-chaos-'))
  await mkdir(join(folder, 'logs'))
  const closers: (() => Promise<void>)[] = []
  const closeAll = async () => {
    // The last first: clients before their servers.
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const plan = await planOf(options)
    const started = performance.now()
    const toxiproxies = await startToxiproxies(plan, folder, closers, log)
    const [etcd, cql] = await Promise.all([
      startEtcdMembers(plan, folder, closers),
      startCql(plan, folder, closers),
    ])
    signal.throwIfAborted()
    const [brokers, nodes] = await startProcesses(plan, folder, options, closers)
    const seconds = ((performance.now() - started) / 1_000).toFixed(1)
    log(`the topology is up after ${seconds} s, in ${folder}`)
    const parts = { brokers, nodes, etcd, cql, admin: etcdAdmin(etcd) }
    const links = linksOf(plan, toxiproxies)
    const topology: Topology = {
      folder,
      ...parts,
      links,
      linksBetween: (from, to) =>
        links.filter(
          (link) =>
            (from === undefined || link.from === from) && (to === undefined || link.to === to),
        ),
      wellAgain: (timeoutMs, within = signal) => untilWell(parts, timeoutMs, within),
      async close({ keep = false } = {}) {
        await closeAll()
        if (!keep) await rm(folder, { recursive: true, force: true })
      },
    }
    const { missing } = await topology.wellAgain(readyMs)
    if (missing.length > 0) throw new Error(`not well after its start: ${missing.join('; ')}`)
    const past = await bypasses([...brokers, ...nodes].map((part) => watched(plan, part)))
    if (past.length > 0) throw new Error(past.join('; '))
    return topology
  } catch (error) {
    await closeAll()
    throw new Error(`the topology did not start; its logs are in ${folder}`, { cause: error })
  }
}

async function planOf(options: TopologyOptions): Promise<Plan> {
  const names = (kind: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${kind}-${i + 1}`)
  const brokers = names('broker', options.brokers ?? 2)
  const nodes = names('node', options.nodes ?? 5)
  const members = names('etcd', options.etcdMembers ?? 3)
  const ways = [
    ...brokers.flatMap((from) => nodes.map((to) => ({ from, to }))),
    ...[...brokers, ...nodes].flatMap((from) => members.map((to) => ({ from, to }))),
    ...[...brokers, ...nodes].map((from) => ({ from, to: 'cql' })),
    ...members.flatMap((from) => members.filter((to) => to !== from).map((to) => ({ from, to }))),
  ]
  const ofMembers = members.flatMap((member) => [member, peerOf(member), callsOf(member)])
  const listeners = [...brokers, ...nodes, ...ofMembers, 'cql']
  const sources = [...brokers, ...nodes, allMembers].map(apiOf)
  const all = [...listeners, ...sources, ...ways.map(({ from, to }) => proxyName(from, to))]
  const found = await stablePorts(all.length)
  const ports = new Map(all.map((name, i) => [name, found[i] as number]))
  return { ports, proxyPorts: ports, ways, brokers, nodes, members }
}

function watched({ ways, ports }: Plan, { name, pid }: Part): Watched {
  const others = ways.filter(({ from }) => from === name).map(({ to }) => to)
  return { name, pid, ports: new Map(others.map((to) => [ports.get(to) as number, to])) }
}

const peerOf = (member: string) => `peer of ${member}`
const callsOf = (member: string) => `calls of ${member}`
/** Members of etcd call each other through one toxiproxy. */
const allMembers = 'etcd'
const apiOf = (source: string) => `toxiproxy of ${source}`
const address = (port: number | undefined) => `127.0.0.1:${port}`

/** One process for each part that calls others: what goes wrong with one is no one else's fault. */
async function startToxiproxies(
  plan: Plan,
  folder: string,
  closers: (() => Promise<void>)[],
  log: (line: string) => void,
): Promise<ReadonlyMap<string, Toxiproxy>> {
  const binary = await installToxiproxy()
  const isMember = (name: string) => plan.members.includes(name)
  const sourceOf = ({ from }: { from: string }) => (isMember(from) ? allMembers : from)
  const sources = [...new Set(plan.ways.map(sourceOf))]
  const started = await Promise.all(
    sources.map(async (source) => {
      const toxiproxy = await startToxiproxy({
        name: source,
        binary,
        apiPort: plan.ports.get(apiOf(source)) as number,
        proxies: plan.ways
          .filter((way) => sourceOf(way) === source)
          .map(({ from, to }) => ({
            name: proxyName(from, to),
            listen: address(plan.proxyPorts.get(proxyName(from, to))),
            upstream: address(plan.ports.get(isMember(from) ? peerOf(to) : to)),
          })),
        toxics: standingToxics,
        logFile: join(folder, 'logs', `toxiproxy-${source}.log`),
        log,
      })
      closers.push(() => toxiproxy.close())
      return [source, toxiproxy] as const
    }),
  )
  const bySource = new Map(started)
  return new Map(plan.ways.map((way) => [way.from, bySource.get(sourceOf(way)) as Toxiproxy]))
}

/** Toxiproxies by who calls. */
function linksOf(plan: Plan, toxiproxies: ReadonlyMap<string, Toxiproxy>): Link[] {
  return plan.ways.map(({ from, to }) => linkOver(from, to, toxiproxies.get(from) as Toxiproxy))
}

async function startEtcdMembers(
  plan: Plan,
  folder: string,
  closers: (() => Promise<void>)[],
): Promise<Part[]> {
  const ports: readonly MemberPorts[] = plan.members.map((member) => ({
    clientPort: plan.ports.get(member) as number,
    peerPort: plan.ports.get(peerOf(member)) as number,
    peerProxyPort: plan.ports.get(callsOf(member)) as number,
  }))
  const hosts = new Map(plan.members.map((member, i) => [member, peerHost(ports[i]!, i)]))
  const proxies = await startPeerProxies(
    plan.members.map((from) => {
      const others = plan.members.filter((to) => to !== from)
      const wayTo = (to: string) => plan.proxyPorts.get(proxyName(from, to)) as number
      return {
        port: plan.ports.get(callsOf(from)) as number,
        ways: Object.fromEntries(others.map((to) => [hosts.get(to) as string, wayTo(to)])),
      }
    }),
  )
  closers.push(proxies.close)
  const etcd = await startEtcd({ dataDir: join(folder, 'etcd'), ports })
  closers.push(() => etcd.kill())
  return etcd.members.map(etcdPart)
}

async function startCql(
  plan: Plan,
  folder: string,
  closers: (() => Promise<void>)[],
): Promise<Part> {
  const part = await startCqlPart(join(folder, 'cql'), plan.ports.get('cql') as number)
  closers.push(() => part.kill())
  return part
}

async function startProcesses(
  plan: Plan,
  folder: string,
  options: TopologyOptions,
  closers: (() => Promise<void>)[],
): Promise<[Part[], Part[]]> {
  const startAll = (kind: 'broker' | 'node', names: readonly string[]) =>
    Promise.all(
      names.map(async (name) => {
        const managed = await managedProcess(kind, name, plan, folder, options)
        closers.push(() => managed.kill())
        await managed.start()
        return processPart(kind, managed, controlsFileOf(folder, name))
      }),
    )
  return await Promise.all([startAll('broker', plan.brokers), startAll('node', plan.nodes)])
}

async function managedProcess(
  kind: 'broker' | 'node',
  name: string,
  plan: Plan,
  folder: string,
  options: TopologyOptions,
): Promise<ManagedProcess> {
  const port = plan.ports.get(name)
  const redirects: Redirects = Object.fromEntries(
    plan.ways
      .filter(({ from }) => from === name)
      .map(({ from, to }) => [
        address(plan.ports.get(to)),
        address(plan.proxyPorts.get(proxyName(from, to))),
      ]),
  )
  await writeFile(controlsFileOf(folder, name), JSON.stringify(noControls))
  return new ManagedProcess({
    name,
    script: kind === 'broker' ? 'broker/src/main/main.ts' : 'model-api/src/main/main.ts',
    args: ['--host', '127.0.0.1', '--port', String(port)],
    env: {
      NODE_OPTIONS: `--import ${preload} --max-old-space-size=${heapMb}`,
      ALMANAC_CHAOS_REDIRECT: JSON.stringify(redirects),
      ALMANAC_CHAOS_CONTROLS: controlsFileOf(folder, name),
      // Half of what a start costs, for all but the first of each kind.
      NODE_COMPILE_CACHE: join(folder, 'compile-cache'),
      ALMANAC_ETCD: plan.members.map((member) => address(plan.ports.get(member))).join(','),
      ALMANAC_CQL: address(plan.ports.get('cql')),
      ...(kind === 'broker' ? options.brokerEnv : options.nodeEnv),
    },
    url: `http://${address(port)}`,
    logDir: join(folder, 'logs'),
    readyPath: '/readyz',
    readyMs,
  })
}

const controlsFileOf = (folder: string, name: string) => join(folder, `controls-of-${name}.json`)
