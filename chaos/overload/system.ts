import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startBackends } from '../../deploy/local/backends.ts'
import { startCluster } from '../../deploy/local/processes.ts'
import { type Offered, offeredCodec, type Plan } from './plan.ts'

/** A broker and a node that share one core; whoever asks them has the other. */
export type System = {
  readonly url: string
  /** Offers load from a process of its own, on a core of its own. */
  readonly offer: (
    plan: { seed: number; seconds: number } & ({ atOnce: number } | { perSecond: number }),
    signal: AbortSignal,
  ) => Promise<Offered>
  /** Memory of broker and node together. */
  readonly residentMb: () => Promise<number>
  readonly close: () => Promise<void>
}

const serving = '0'
const asking = '1'
const run = promisify(execFile)

export async function startSystem(): Promise<System> {
  const opened: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end()
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), 'almanac-overload-'))
    opened.push(() => rm(folder, { recursive: true, force: true }))
    const { etcd, cql, endpoints } = await startBackends(folder, opened)
    const logDir = join(folder, 'logs')
    const cluster = await startCluster({
      endpoints,
      logLevel: 'warn',
      logDir,
      brokers: 1,
      nodes: 1,
    })
    opened.push(() => cluster.stop())
    const [broker, node] = [cluster.brokers[0]!, cluster.nodes[0]!]
    const pids = [broker.pid!, node.pid!]
    await fitSample(broker.url)
    for (const pid of pids) await run('taskset', ['-a', '-p', '-c', serving, String(pid)])
    for (const pid of [cql.pid, ...etcd.pids])
      await run('taskset', ['-a', '-p', '-c', asking, String(pid)])
    return {
      url: broker.url,
      offer: (plan, signal) => offer({ ...plan, url: broker.url }, signal),
      residentMb: async () => (await Promise.all(pids.map(residentMbOf))).reduce((a, b) => a + b),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function fitSample(url: string): Promise<void> {
  const sample = join(import.meta.dirname, '../../sample-data/melbourne-min-temperatures.json')
  const response = await fetch(`${url}/api/fit_model`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: await readFile(sample),
    signal: AbortSignal.timeout(90_000),
  })
  if (response.status !== 200) throw new Error(`the fit: ${await response.text()}`)
}

async function offer(plan: Plan, signal: AbortSignal): Promise<Offered> {
  const script = join(import.meta.dirname, 'generator.ts')
  const command = ['-c', asking, process.execPath, script, JSON.stringify(plan)]
  const child = spawn('taskset', command, { stdio: ['ignore', 'pipe', 'inherit'], signal })
  const gone = once(child, 'exit')
  let text = ''
  for await (const chunk of child.stdout) text += chunk
  await gone
  const offered = offeredCodec.decode(text.trim())
  if (!offered.ok) throw new Error(`the load generator said ${text.slice(0, 200)}`)
  return offered.value
}

async function residentMbOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024
}
