import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCqlStore, openEtcdCoordinator } from '@almanac/shared'
import { type Cassandra, startCassandra } from '../../deploy/local/cassandra.ts'
import { type Etcd, startEtcd } from '../../deploy/local/etcd.ts'
import { freePort, ManagedProcess } from '../../deploy/local/process.ts'
import { seedJobs, seedModels } from './seed.ts'
import type { Site, Size } from './site.ts'

/** etcd, a CQL database, a broker, a node that fits and two that serve, each a process. */
export async function clusterSite({ models, jobs }: Size, signal: AbortSignal): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-large-'))
  const opened: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end()
  }
  try {
    const etcd = await startEtcd({ dataDir: join(folder, 'etcd') })
    opened.push(() => etcd.stop())
    const cql = await startCassandra({ dataDir: join(folder, 'cql') })
    opened.push(() => cql.kill())
    const { coordinator, store } = await openBoth(etcd, cql)
    opened.push(
      () => coordinator.close(),
      () => store.close(),
    )
    await seedModels({ coordinator, store, signal }, models)
    await seedJobs({ coordinator, store, signal }, jobs)
    const logDir = join(folder, 'logs')
    await mkdir(logDir)
    const parts = await processesOn(etcd, cql, logDir)
    opened.push(() => Promise.all(parts.map((part) => part.stop())))
    const [broker] = parts
    return {
      name: 'cluster',
      url: broker!.url,
      serving: servingNodes,
      parts: () =>
        parts.map(({ name, pid, url }) => ({ name, pid: pid!, metricsUrl: `${url}/metrics` })),
      start: () => startAll(parts),
      restart: async () => {
        await Promise.all(parts.map((part) => part.kill()))
        await startAll(parts)
      },
      keys: async (prefix) =>
        (await coordinator.list(prefix, AbortSignal.timeout(listMs))).entries.length,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const servingNodes = 2
/** For 100,000 jobs, on a machine that does other things as well. */
const listMs = 60_000

/** All at once; resolves when the broker answers. Nodes are ready when they have their models. */
async function startAll([broker, ...nodes]: readonly ManagedProcess[]): Promise<void> {
  for (const node of nodes) node.spawn()
  await broker?.start()
}

async function openBoth(etcd: Etcd, cql: Cassandra) {
  const coordinator = await openEtcdCoordinator({
    endpoints: etcd.endpoints,
  })
  const store = await openCqlStore({
    contactPoints: [cql.contactPoint],
    localDataCenter: cql.localDataCenter,
    keyspace,
    // The schema is made by whoever comes first, which takes its time.
    callTimeoutMs: 30_000,
  })
  await store.ping(AbortSignal.timeout(60_000))
  return { coordinator, store }
}

const keyspace = 'almanac'

async function processesOn(etcd: Etcd, cql: Cassandra, logDir: string): Promise<ManagedProcess[]> {
  const env = {
    ALMANAC_ETCD: etcd.endpoints.join(','),
    ALMANAC_CQL: cql.contactPoint,
    ALMANAC_CQL_DATA_CENTER: cql.localDataCenter,
    ALMANAC_CQL_KEYSPACE: keyspace,
    ALMANAC_LOG_LEVEL: 'warn',
  }
  const part = async (name: string, script: string, more: readonly string[] = []) => {
    const port = await freePort()
    const args = ['--host', '127.0.0.1', '--port', String(port), ...more]
    const url = `http://127.0.0.1:${port}`
    const readyPath = '/readyz'
    return new ManagedProcess({ name, script, args, env, url, logDir, readyPath, readyMs: 300_000 })
  }
  const node = 'model-api/src/main/main.ts'
  const serving = Array.from({ length: servingNodes }, (_, i) =>
    part(`node-${i + 1}`, node, ['--roles', 'serve']),
  )
  return Promise.all([
    part('broker', 'broker/src/main/main.ts'),
    part('fit-node', 'chaos/large/fit-node.ts'),
    ...serving,
  ])
}
