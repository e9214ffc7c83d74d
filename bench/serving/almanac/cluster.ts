import { join } from 'node:path'
import { startCassandra } from '../../../deploy/local/cassandra.ts'
import { startEtcd } from '../../../deploy/local/etcd.ts'
import { type LocalCluster, startCluster } from '../../../deploy/local/processes.ts'

export type BackedCluster = LocalCluster & { readonly url: string }

/** Two brokers and some nodes as processes, on etcd and a CQL database of their own. */
export async function startBackedCluster(folder: string, nodes: number): Promise<BackedCluster> {
  const opened: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const close of opened.splice(0).reverse()) await close()
  }
  try {
    const etcd = await startEtcd({ dataDir: join(folder, 'etcd') })
    opened.push(() => etcd.stop())
    const cql = await startCassandra({ dataDir: join(folder, 'cql') })
    opened.push(() => cql.stop())
    const cluster = await startCluster({
      endpoints: {
        etcd: etcd.endpoints,
        cql: cql.contactPoint,
        cqlDataCenter: cql.localDataCenter,
      },
      brokers: 2,
      nodes,
      logDir: join(folder, 'logs'),
      logLevel: 'warn',
    })
    opened.push(() => cluster.stop())
    return { ...cluster, url: cluster.brokers[0]!.url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
