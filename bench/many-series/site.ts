import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCassandra } from '../../deploy/local/cassandra.ts'
import { startEtcd } from '../../deploy/local/etcd.ts'
import { startCluster } from '../../deploy/local/processes.ts'
import { startObjectStore } from '../../deploy/local/versitygw.ts'
import type { Watched } from './memory.ts'

/** A cluster of real parts on this machine: etcd, a CQL database, an object store for files. */
export type Site = {
  /** Of the broker. */
  readonly url: string
  readonly processes: readonly Watched[]
  readonly folder: string
  readonly close: () => Promise<void>
}

export type SiteOptions = {
  readonly nodes: number
  readonly nodeEnv: Readonly<Record<string, string>>
  readonly say: (line: string) => void
}

export async function openSite({ nodes, nodeEnv, say }: SiteOptions): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-bench-'))
  const opened: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end()
  }
  try {
    say('Starting etcd, a CQL database, an object store, a broker and nodes …')
    const etcd = await startEtcd({ dataDir: join(folder, 'etcd') })
    opened.push(() => etcd.stop())
    const cql = await startCassandra({ dataDir: join(folder, 'cql') })
    opened.push(() => cql.stop())
    const objects = await startObjectStore({ dataDir: join(folder, 's3'), buckets: ['tables'] })
    opened.push(() => objects.stop())
    const filesEnv = {
      ALMANAC_FILES: 's3://tables',
      ALMANAC_FILES_ENDPOINT: objects.endpoint,
      AWS_ACCESS_KEY_ID: objects.keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: objects.keys.secretAccessKey,
      TMPDIR: folder,
    }
    const cluster = await startCluster({
      endpoints: {
        etcd: etcd.endpoints,
        cql: cql.contactPoint,
        cqlDataCenter: cql.localDataCenter,
      },
      ...{ brokers: 1, nodes, logDir: join(folder, 'logs'), logLevel: 'warn' },
      env: { ...filesEnv, ...nodeEnv },
    })
    opened.push(() => cluster.stop())
    const processes = [...cluster.brokers, ...cluster.nodes].map(({ name, pid }) => ({ name, pid }))
    return { url: cluster.brokers[0]!.url, processes, folder, close }
  } catch (error) {
    await close()
    throw error
  }
}
