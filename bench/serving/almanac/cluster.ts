import { join } from 'node:path'
import { startBackends } from '../../../deploy/local/backends.ts'
import { type LocalCluster, startCluster } from '../../../deploy/local/processes.ts'

export type BackedCluster = LocalCluster & { readonly url: string }

/** Two brokers and some nodes as processes, on etcd and a CQL database of their own. */
export async function startBackedCluster(folder: string, nodes: number): Promise<BackedCluster> {
  const opened: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const close of opened.splice(0).reverse()) await close()
  }
  try {
    const { endpoints } = await startBackends(folder, opened)
    const cluster = await startCluster({
      endpoints,
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
