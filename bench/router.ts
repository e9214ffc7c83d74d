import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { headers, openEtcdCoordinator } from '@almanac/shared'
import { startCassandra } from '../deploy/local/cassandra.ts'
import { startEtcd } from '../deploy/local/etcd.ts'
import { startCluster } from '../deploy/local/processes.ts'
import { type Measured, measure, median, spread } from './measure.ts'
import { startNginx } from './nginx.ts'

/**
 * What the broker costs beside nginx: requests per second for a forecast of 500 numbers, forwarded
 * (against nginx proxying to the same node) and from the broker's cache (against nginx proxying to
 * nginx). The front has one core to itself; the upstream and the load generator share the other.
 */
const rounds = Number(process.env.ALMANAC_BENCH_ROUNDS ?? 5)
const seconds = Number(process.env.ALMANAC_BENCH_SECONDS ?? 5)
const [frontCore, otherCore] = ['0', '1']
const run = promisify(execFile)

const folder = await mkdtemp(join(tmpdir(), 'almanac-bench-'))
const opened: (() => Promise<void>)[] = []
try {
  await main()
} finally {
  for (const close of opened.reverse()) await close()
  await rm(folder, { recursive: true, force: true })
}

async function main(): Promise<void> {
  const { cached, forwarding, node, path, nodeHeaders, answer } = await startCandidates()
  const file = join(folder, 'forecast.json')
  await writeFile(file, answer)
  const origin = await nginx({
    core: otherCore,
    location: `root ${folder}; rewrite ^ /forecast.json break;`,
  })
  const toOrigin = await nginx({ core: frontCore, upstream: origin.address })
  const toNode = await nginx({ core: frontCore, upstream: node, headers: nodeHeaders })
  const table: { name: string; front: Front; url: string }[] = [
    { name: 'broker, cached', front: cached, url: `${cached.url}/api/forecast/500` },
    { name: 'nginx to nginx', front: toOrigin, url: `http://${toOrigin.address}/` },
    { name: 'broker, forwarded', front: forwarding, url: `${forwarding.url}/api/forecast/500` },
    { name: 'nginx to node', front: toNode, url: `http://${toNode.address}${path}` },
  ]
  // Compiled code is what runs all day: the first seconds are not measured.
  for (const { front, url } of table)
    await measure({ url, pid: front.pid, core: otherCore, seconds: 3 })
  const results = table.map(({ name }) => ({ name, runs: [] as Measured[] }))
  for (let round = 0; round < rounds; round++)
    for (const [i, { front, url }] of table.entries()) {
      const measured = await measure({ url, pid: front.pid, core: otherCore, seconds })
      if (measured.bytes < answer.length) throw new Error(`${table[i]?.name}: short answers`)
      results[i]?.runs.push(measured)
    }
  report(results)
}

type Front = { readonly pid: number }

async function nginx(options: Omit<Parameters<typeof startNginx>[0], 'folder'>) {
  const server = await startNginx({ ...options, folder })
  opened.push(() => server.stop())
  return server
}

async function startCandidates() {
  const etcd = await startEtcd({ dataDir: join(folder, 'etcd') })
  opened.push(() => etcd.stop())
  const cql = await startCassandra({ dataDir: join(folder, 'cql') })
  opened.push(() => cql.stop())
  const endpoints = {
    etcd: etcd.endpoints,
    cql: cql.contactPoint,
    cqlDataCenter: cql.localDataCenter,
  }
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
  const cached = main.brokers[0] as (typeof main.brokers)[0]
  const forwarding = uncached.brokers[0] as (typeof main.brokers)[0]
  const node = main.nodes[0] as (typeof main.nodes)[0]
  const version = await fitSample(cached.url)
  for (const part of [cached, forwarding]) await pin(part.pid as number, frontCore)
  await pin(node.pid as number, otherCore)
  // The database has nothing to do while forecasts are answered: it must not take time from them.
  process.kill(cql.pid, 'SIGSTOP')
  opened.push(async () => void process.kill(cql.pid, 'SIGCONT'))
  const answer = Buffer.from(
    await (await fetch(`${forwarding.url}/api/forecast/500`)).arrayBuffer(),
  )
  const nodeHeaders = await headersForNode(cached.url, etcd.endpoints)
  return {
    cached: { url: cached.url, pid: cached.pid as number },
    forwarding: { url: forwarding.url, pid: forwarding.pid as number },
    node: new URL(node.url).host,
    path: `/internal/v1/forecast/default/default/${version}/500`,
    nodeHeaders,
    answer,
  }
}

async function fitSample(url: string): Promise<number> {
  const sample = join(import.meta.dirname, '../sample-data/melbourne-min-temperatures.json')
  const { stdout } = await run('curl', [
    ...['-sS', '-XPOST', `${url}/api/fit_model`, '-H', 'content-type: application/json'],
    ...['-d', `@${sample}`],
  ])
  return (JSON.parse(stdout) as { version: number }).version
}

/** nginx must say whom it means, as a broker does. */
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

async function pin(pid: number, core: string): Promise<void> {
  await run('taskset', ['-a', '-p', '-c', core, String(pid)])
}

function report(results: readonly { name: string; runs: readonly Measured[] }[]): void {
  const line = (cells: readonly string[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`)
  process.stdout.write(
    `\n${rounds} rounds of ${seconds} s, 32 connections, ${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}\n\n`,
  )
  line(['front', 'requests/s, median', 'min – max', 'p50 ms', 'p99 ms', 'CPU µs/request'])
  line(['---', '---', '---', '---', '---', '---'])
  for (const { name, runs } of results)
    line([
      name,
      median(runs.map((r) => r.perSecond)).toFixed(0),
      spread(runs.map((r) => r.perSecond)),
      median(runs.map((r) => r.p50Ms)).toFixed(2),
      median(runs.map((r) => r.p99Ms)).toFixed(2),
      median(runs.map((r) => r.cpuMicros)).toFixed(1),
    ])
  const ratio = (a: number, b: number) => {
    const pairs = (results[a]?.runs ?? []).map(
      (r, i) => r.perSecond / (results[b]?.runs[i]?.perSecond ?? Number.NaN),
    )
    return `${median(pairs).toFixed(2)} (${Math.min(...pairs).toFixed(2)} – ${Math.max(...pairs).toFixed(2)})`
  }
  process.stdout.write(`\nbroker, cached / nginx to nginx: ${ratio(0, 1)}\n`)
  process.stdout.write(`broker, forwarded / nginx to node: ${ratio(2, 3)}\n`)
  process.stdout.write(`${JSON.stringify(results)}\n`)
}
