import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, ManagedProcess } from './process.ts'

export type Endpoints = {
  readonly etcd: readonly string[]
  readonly cql: string
  readonly cqlDataCenter: string
  readonly etcdPrefix?: string
  readonly cqlKeyspace?: string
}

export type ClusterOptions = {
  readonly endpoints: Endpoints
  readonly brokers: number
  readonly nodes: number
  readonly logDir: string
  /** The first broker's port; the others, and all nodes, take free ones. */
  readonly port?: number
  readonly logLevel?: string
  /** More settings for all of them, as environment variables. */
  readonly env?: Readonly<Record<string, string>>
  /** The same for the brokers alone. */
  readonly brokerEnv?: Readonly<Record<string, string>>
}

/** Brokers and nodes as processes of this machine, on backends that are already there. */
export type LocalCluster = {
  readonly brokers: readonly ManagedProcess[]
  readonly nodes: ManagedProcess[]
  addNode(): Promise<ManagedProcess>
  stop(): Promise<void>
}

export async function startCluster(options: ClusterOptions): Promise<LocalCluster> {
  await mkdir(options.logDir, { recursive: true })
  const brokers: ManagedProcess[] = []
  const nodes: ManagedProcess[] = []
  const stop = async () => {
    await Promise.all([...brokers, ...nodes].map((part) => part.stop()))
  }
  const addNode = async () => {
    const node = await processOf('node', nodes.length + 1, await freePort(), options)
    nodes.push(node)
    await node.start()
    return node
  }
  try {
    for (let i = 0; i < options.brokers; i++) {
      const port = i === 0 && options.port !== undefined ? options.port : await freePort()
      brokers.push(await processOf('broker', i + 1, port, options))
    }
    await Promise.all(brokers.map((broker) => broker.start()))
    for (let i = 0; i < options.nodes; i++) await addNode()
  } catch (error) {
    await stop()
    throw error
  }
  return { brokers, nodes, addNode, stop }
}

async function processOf(
  kind: 'broker' | 'node',
  number: number,
  port: number,
  { endpoints, logDir, logLevel = 'info', env = {}, brokerEnv = {} }: ClusterOptions,
): Promise<ManagedProcess> {
  return new ManagedProcess({
    name: `${kind}-${number}`,
    script: kind === 'broker' ? 'broker/src/main/main.ts' : 'model-api/src/main/main.ts',
    args: ['--host', '127.0.0.1', '--port', String(port)],
    env: {
      // A third of what a start costs, for all but the first of each kind.
      NODE_COMPILE_CACHE: join(import.meta.dirname, '../../.cache/compiled'),
      ALMANAC_ETCD: endpoints.etcd.join(','),
      ALMANAC_ETCD_PREFIX: endpoints.etcdPrefix ?? '',
      ALMANAC_CQL: endpoints.cql,
      ALMANAC_CQL_DATA_CENTER: endpoints.cqlDataCenter,
      ALMANAC_CQL_KEYSPACE: endpoints.cqlKeyspace ?? 'almanac',
      ALMANAC_LOG_LEVEL: logLevel,
      ...env,
      ...(kind === 'broker' ? brokerEnv : {}),
    },
    url: `http://127.0.0.1:${port}`,
    logDir,
    readyPath: '/readyz',
    readyMs: 60_000,
  })
}
