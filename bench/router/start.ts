import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { headers, openEtcdCoordinator } from '@almanac/shared'
import { startBackends } from '../../deploy/local/backends.ts'
import { freePort, ManagedProcess } from '../../deploy/local/process.ts'
import { startCluster } from '../../deploy/local/processes.ts'
import { pin } from '../measure.ts'
import { startNginx } from '../nginx.ts'

/** One that answers forecasts of 500 numbers, or stands before one that does. */
export type Front = { readonly name: string; readonly pid: number; readonly url: string }

export type Cores = { readonly front: string; readonly other: string }

type Opened = (() => Promise<unknown>)[]

const run = promisify(execFile)
const question = '/api/forecast/500'

/** All fronts, on `cores.front`; what stands behind them is on `cores.other`. */
export async function startFronts(
  folder: string,
  cores: Cores,
  opened: Opened,
): Promise<{ readonly fronts: readonly Front[]; readonly bytes: number }> {
  const ours = await startOurs(folder, cores, opened)
  const file = join(folder, 'forecast.json')
  await writeFile(file, ours.answer)
  const nginx = async (name: string, options: Omit<Parameters<typeof startNginx>[0], 'folder'>) => {
    const server = await startNginx({ ...options, folder })
    opened.push(() => server.stop())
    return { name, pid: server.pid, address: server.address }
  }
  const { upstream, path } = ours
  const given = JSON.stringify({ file, upstream, path, headers: ours.nodeHeaders })
  const peer = async (name: string, kind: string) => {
    const port = await freePort()
    const process = new ManagedProcess({
      name: kind.replace(', ', '-'),
      script: 'bench/router/front.ts',
      args: [kind, String(port), given],
      env: {},
      url: `http://127.0.0.1:${port}`,
      logDir: join(folder, 'logs'),
      readyPath: question,
      readyMs: 20_000,
    })
    await process.start()
    opened.push(() => process.stop())
    await pin(process.pid as number, cores.front)
    return { name, pid: process.pid as number, url: `${process.url}${question}` }
  }
  const origin = await nginx('file', {
    core: cores.other,
    location: `root ${folder}; rewrite ^ /forecast.json break;`,
  })
  const toOrigin = await nginx('nginx to nginx', { core: cores.front, upstream: origin.address })
  const toNode = await nginx('nginx to node', {
    core: cores.front,
    upstream,
    headers: ours.nodeHeaders,
  })
  return {
    bytes: ours.answer.length,
    fronts: [
      ours.cached,
      { ...toOrigin, url: `http://${toOrigin.address}${question}` },
      await peer('node:http, from memory', 'bare, kept'),
      await peer('fastify, from memory', 'fastify, kept'),
      ours.forwarding,
      { ...toNode, url: `http://${toNode.address}${path}` },
      await peer('node:http with undici, to node', 'bare, forwarding'),
      await peer('fastify with undici, to node', 'fastify, forwarding'),
    ],
  }
}

/** A broker that keeps answers, one that never does, and a node, on real etcd and Cassandra. */
async function startOurs(folder: string, cores: Cores, opened: Opened) {
  const { etcd, cql, endpoints } = await startBackends(folder, opened)
  const shared = { endpoints, logLevel: 'warn', logDir: join(folder, 'logs') }
  const main = await startCluster({ ...shared, brokers: 1, nodes: 1 })
  opened.push(() => main.stop())
  const uncached = await startCluster({
    ...shared,
    brokers: 1,
    nodes: 0,
    logDir: join(folder, 'logs-uncached'),
    brokerEnv: { ALMANAC_RESPONSE_CACHE_MB: '0' },
  })
  opened.push(() => uncached.stop())
  const cached = main.brokers[0] as ManagedProcess
  const forwarding = uncached.brokers[0] as ManagedProcess
  const node = main.nodes[0] as ManagedProcess
  const version = await fitSample(cached.url)
  for (const part of [cached, forwarding]) await pin(part.pid as number, cores.front)
  await pin(node.pid as number, cores.other)
  // The database has nothing to do while forecasts are answered: it must not take time from them.
  process.kill(cql.pid, 'SIGSTOP')
  opened.push(async () => void process.kill(cql.pid, 'SIGCONT'))
  const front = (name: string, part: ManagedProcess) => ({
    name,
    pid: part.pid as number,
    url: `${part.url}${question}`,
  })
  return {
    cached: front('broker, from its memory', cached),
    forwarding: front('broker, to node', forwarding),
    upstream: new URL(node.url).host,
    path: `/internal/v1/forecast/default/default/${version}/500`,
    nodeHeaders: await headersForNode(cached.url, etcd.endpoints),
    answer: Buffer.from(await (await fetch(`${forwarding.url}${question}`)).arrayBuffer()),
  }
}

async function fitSample(url: string): Promise<number> {
  const sample = join(import.meta.dirname, '../../sample-data/melbourne-min-temperatures.json')
  const { stdout } = await run('curl', [
    ...['-sS', '-XPOST', `${url}/api/fit_model`, '-H', 'content-type: application/json'],
    ...['-d', `@${sample}`],
  ])
  return (JSON.parse(stdout) as { version: number }).version
}

/** Peers must say whom they mean, as a broker does. */
async function headersForNode(
  url: string,
  etcd: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const answer = (await (await fetch(`${url}/api/nodes`)).json()) as {
    nodes: { instance: string }[]
  }
  const coordinator = await openEtcdCoordinator({ endpoints: etcd })
  const cluster = await coordinator.clusterId(AbortSignal.timeout(5_000))
  await coordinator.close()
  return { [headers.cluster]: cluster, [headers.instance]: answer.nodes[0]?.instance ?? '' }
}
