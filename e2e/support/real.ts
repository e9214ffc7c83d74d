import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kafka, startKafka } from '../../deploy/local/kafka.ts'
import { startCluster } from '../../deploy/local/processes.ts'
import { startObjectStore } from '../../deploy/local/versitygw.ts'
import { openS3Files } from '../../shared/src/files/s3/open.ts'
import { behindProxy, startBackends } from './backends.ts'
import type { Breakable, TestCluster } from './cluster.ts'

/**
 * Two brokers and three nodes as processes, on real etcd, a real CQL database, a real object store
 * for files and a real Kafka for messages.
 */
export async function startRealCluster(): Promise<Required<TestCluster>> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-e2e-'))
  const backends = await startBackends(folder)
  const [etcd] = backends.endpoints.etcd
  const etcdOfNodes = await behindProxy('etcd of the nodes', etcd as string)
  const objects = await startObjectStore({ dataDir: join(folder, 'objects'), buckets: ['files'] })
  const { endpoint, keys: credentials } = objects
  const filesOfNodes = await behindProxy('files of the nodes', endpoint)
  const files = openS3Files({ bucket: 'files', prefix: '', endpoint, credentials })
  const kafka = await startKafka({ dataDir: join(folder, 'kafka') })
  const cluster = await startCluster({
    endpoints: { ...backends.endpoints, etcd: [etcdOfNodes.address] },
    env: {
      ALMANAC_FILES: 's3://files',
      ALMANAC_FILES_ENDPOINT: `http://${filesOfNodes.address}`,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    brokerEnv: {
      ALMANAC_FILES_ENDPOINT: endpoint,
      ALMANAC_ETCD: backends.endpoints.etcd.join(','),
      ALMANAC_MESSAGES: `kafka://${kafka.address}/url-topic`,
    },
    brokers: 2,
    nodes: 3,
    logDir: join(folder, 'logs'),
  })
  const ours = () => [...cluster.brokers, ...cluster.nodes]
  return {
    brokers: cluster.brokers.map(({ url }) => url),
    files,
    nodes: cluster.nodes,
    brokerProcesses: cluster.brokers,
    etcd: backends.etcd,
    etcdOfNodes: etcdOfNodes.part,
    cql: backends.cql,
    kafka: partOf(kafka),
    filesOfNodes: filesOfNodes.part,
    async restartAll() {
      await Promise.all(ours().map((part) => part.kill()))
      await Promise.all([backends.etcd.kill(), backends.cql.kill(), kafka.kill()])
      await Promise.all([backends.etcd.start(), backends.cql.start(), kafka.start()])
      await Promise.all(ours().map((part) => part.start()))
    },
    async close() {
      await cluster.stop()
      await etcdOfNodes.part.stop()
      await files.close()
      await filesOfNodes.part.stop()
      await objects.stop()
      await kafka.kill()
      await backends.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const partOf = (kafka: Kafka): Breakable => ({
  name: 'Kafka',
  kill: () => kafka.kill(),
  start: () => kafka.start(),
  stop: () => kafka.stop(),
  signal: (name) => (name === 'SIGSTOP' ? kafka.freeze() : kafka.thaw()),
})
