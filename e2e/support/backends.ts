import { join } from 'node:path'
import { startCassandra } from '../../deploy/local/cassandra.ts'
import { startEtcd } from '../../deploy/local/etcd.ts'
import type { Endpoints } from '../../deploy/local/processes.ts'
import { startTcpProxy } from '../../shared/test/support/tcp-proxy.ts'
import type { Breakable, Way } from './cluster.ts'

export type Backends = {
  readonly endpoints: Endpoints
  readonly etcd: Breakable
  readonly cql: Breakable
  stop(): Promise<void>
}

/**
 * etcd and a CQL database that can be taken away: those that the environment names stand behind a
 * proxy that cuts every connection; else processes of this machine, which are killed.
 */
export async function startBackends(folder: string): Promise<Backends> {
  const etcd = await startEtcdBackend(folder)
  const cql = await startCqlBackend(folder)
  return {
    endpoints: {
      etcd: etcd.endpoints,
      cql: cql.contactPoint,
      cqlDataCenter: cql.dataCenter,
      // A cluster of its own on a backend that others may use as well.
      etcdPrefix: process.env.ALMANAC_TEST_ETCD ? `/e2e-${process.pid}` : '',
      cqlKeyspace: `almanac_e2e_${process.pid}`,
    },
    etcd: etcd.part,
    cql: cql.part,
    async stop() {
      await etcd.part.stop()
      await cql.part.stop()
    },
  }
}

async function startEtcdBackend(folder: string) {
  const [given] = process.env.ALMANAC_TEST_ETCD?.split(',') ?? []
  if (given) {
    const proxied = await behindProxy('etcd', given)
    return { endpoints: [proxied.address], part: proxied.part }
  }
  const etcd = await startEtcd({ dataDir: join(folder, 'etcd') })
  const signal = (name: NodeJS.Signals) => (name === 'SIGSTOP' ? etcd.freeze() : etcd.thaw())
  const part: Breakable = { ...methods(etcd), name: 'etcd', start: () => etcd.start(), signal }
  return { endpoints: etcd.endpoints, part }
}

async function startCqlBackend(folder: string) {
  const given = process.env.ALMANAC_TEST_CQL
  if (given) {
    const proxied = await behindProxy('cql', given)
    const dataCenter = process.env.ALMANAC_TEST_CQL_DATACENTER ?? 'datacenter1'
    return { contactPoint: proxied.address, dataCenter, part: proxied.part }
  }
  const dataDir = join(folder, 'cql')
  let cql = await startCassandra({ dataDir })
  const { contactPoint, localDataCenter, port } = cql
  const part: Breakable = {
    name: 'cql',
    kill: () => cql.kill(),
    stop: () => cql.stop(),
    async start() {
      cql = await startCassandra({ dataDir, port })
    },
    signal: (name) => (name === 'SIGSTOP' ? cql.freeze() : cql.thaw()),
  }
  return { contactPoint, dataCenter: localDataCenter, part }
}

function methods(part: { kill(): Promise<void>; stop(): Promise<void> }) {
  return { kill: () => part.kill(), stop: () => part.stop() }
}

/** A way to a backend that can be cut while others reach it. */
export async function behindProxy(name: string, address: string) {
  const target = `http://${address.replace(/^https?:\/\//, '')}`
  const proxy = await startTcpProxy(target, 'other')
  const part: Way = {
    name,
    async kill() {
      proxy.refuse()
      proxy.cut()
    },
    start: async () => proxy.pass(),
    stop: () => proxy.close(),
    signal: (signal) => (signal === 'SIGSTOP' ? proxy.swallow() : proxy.pass()),
    cutAfter: (bytes) => proxy.cutAfter(bytes),
  }
  return { address: new URL(proxy.endpoint).host, part }
}
