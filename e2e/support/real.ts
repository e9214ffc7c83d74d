import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster } from '../../deploy/local/processes.ts'
import { startObjectStore } from '../../deploy/local/versitygw.ts'
import { behindProxy, startBackends } from './backends.ts'
import type { TestCluster } from './cluster.ts'

/**
 * Two brokers and three nodes as processes, on real etcd, a real CQL database and a real object
 * store for files.
 */
export async function startRealCluster(): Promise<Required<TestCluster>> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-e2e-'))
  const backends = await startBackends(folder)
  const [etcd] = backends.endpoints.etcd
  const etcdOfNodes = await behindProxy('etcd of the nodes', etcd as string)
  const objects = await startObjectStore({ dataDir: join(folder, 'objects'), buckets: ['files'] })
  const cluster = await startCluster({
    endpoints: { ...backends.endpoints, etcd: [etcdOfNodes.address] },
    env: {
      ALMANAC_FILES: 's3://files',
      ALMANAC_FILES_ENDPOINT: objects.endpoint,
      AWS_ACCESS_KEY_ID: objects.keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: objects.keys.secretAccessKey,
    },
    brokerEnv: { ALMANAC_ETCD: backends.endpoints.etcd.join(',') },
    brokers: 2,
    nodes: 3,
    logDir: join(folder, 'logs'),
  })
  const ours = () => [...cluster.brokers, ...cluster.nodes]
  return {
    brokers: cluster.brokers.map(({ url }) => url),
    nodes: cluster.nodes,
    brokerProcesses: cluster.brokers,
    etcd: backends.etcd,
    etcdOfNodes: etcdOfNodes.part,
    cql: backends.cql,
    async restartAll() {
      await Promise.all(ours().map((part) => part.kill()))
      await Promise.all([backends.etcd.kill(), backends.cql.kill()])
      await Promise.all([backends.etcd.start(), backends.cql.start()])
      await Promise.all(ours().map((part) => part.start()))
    },
    async close() {
      await cluster.stop()
      await etcdOfNodes.part.stop()
      await objects.stop()
      await backends.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
