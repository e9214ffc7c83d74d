import { join } from 'node:path'
import { startCassandra } from './cassandra.ts'
import { startEtcd } from './etcd.ts'

/** An etcd and a CQL database in a folder of their own; what ends them is put onto `opened`. */
export async function startBackends(folder: string, opened: (() => Promise<unknown>)[]) {
  const etcd = await startEtcd({ dataDir: join(folder, 'etcd') })
  opened.push(() => etcd.stop())
  const cql = await startCassandra({ dataDir: join(folder, 'cql') })
  opened.push(() => cql.stop())
  const endpoints = {
    etcd: etcd.endpoints,
    cql: cql.contactPoint,
    cqlDataCenter: cql.localDataCenter,
  }
  return { etcd, cql, endpoints }
}
