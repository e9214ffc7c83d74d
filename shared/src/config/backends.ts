import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { openEtcdCoordinator } from '../coordination/etcd/open.ts'
import type { Coordinator } from '../coordination/port.ts'
import { openCqlStore } from '../store/cql/open.ts'
import type { Store } from '../store/port.ts'
import { type Logger, sparingly } from '../telemetry/log.ts'
import { addresses, integer, optionalText, secret, text } from './kinds.ts'
import { isLoopback, type processSettings } from './process.ts'
import type { Settings } from './settings.ts'

/** What every process of a cluster is told: where etcd and the CQL database are. */
export const backendSettings = {
  etcd: addresses({ flag: 'etcd', env: 'ALMANAC_ETCD', help: 'The etcd endpoints.' }),
  etcdPrefix: text({
    flag: 'etcd-prefix',
    env: 'ALMANAC_ETCD_PREFIX',
    shape: 'TEXT',
    fallback: '',
    help: 'Put before every key, for several clusters on one etcd.',
  }),
  cql: addresses({
    flag: 'cql',
    env: 'ALMANAC_CQL',
    help: 'ScyllaDB or Cassandra contact points.',
  }),
  cqlDataCenter: text({
    flag: 'cql-data-center',
    env: 'ALMANAC_CQL_DATA_CENTER',
    shape: 'NAME',
    fallback: 'datacenter1',
    help: 'The data centre whose replicas are asked.',
  }),
  cqlKeyspace: text({
    flag: 'cql-keyspace',
    env: 'ALMANAC_CQL_KEYSPACE',
    shape: 'NAME',
    fallback: 'almanac',
    help: 'The keyspace; created when it is not there.',
  }),
  cqlReplication: integer({
    flag: 'cql-replication',
    env: 'ALMANAC_CQL_REPLICATION',
    fallback: 1,
    minimum: 1,
    maximum: 7,
    help: 'Replicas of every row when the keyspace is created.',
  }),
  cqlUser: optionalText({
    flag: 'cql-user',
    env: 'ALMANAC_CQL_USER',
    shape: 'NAME',
    help: 'The database user.',
  }),
  cqlPassword: secret({ flag: 'cql-password', env: 'ALMANAC_CQL_PASSWORD', help: 'Its password.' }),
} as const

export type BackendSettings = Settings<typeof backendSettings>

type ClusterSettings = BackendSettings &
  Settings<typeof processSettings> & { readonly host: string }

/** What is wrong with the settings of a cluster's process that are each fine. */
export function checkClusterSettings(settings: ClusterSettings): readonly string[] {
  const { etcd, cql, host, token, cqlUser, cqlPassword } = settings
  const faults: string[] = []
  if (etcd === null) faults.push('--etcd is needed: where etcd is, like 10.0.0.1:2379')
  if (cql === null)
    faults.push('--cql is needed: where ScyllaDB or Cassandra is, like 10.0.0.1:9042')
  if (!isLoopback(host) && token === null)
    faults.push(`--host ${host} is open to the network: set ALMANAC_TOKEN (16 characters or more)`)
  if ((cqlUser === null) !== (cqlPassword === null))
    faults.push('--cql-user and ALMANAC_CQL_PASSWORD go together')
  return faults
}

export type OpenBackends = {
  readonly coordinator: Coordinator
  readonly store: Store
  close(): Promise<void>
}

/** Opens both without waiting for either: what needs them rejects until they are there. */
export async function openBackends(
  settings: BackendSettings,
  logger: Logger,
  clock: Clock,
): Promise<OpenBackends> {
  const { etcd, cql, cqlUser, cqlPassword } = settings
  assert(etcd && cql, 'checked with the settings')
  const warn = sparingly(logger, clock)
  const coordinator = await openEtcdCoordinator({
    endpoints: etcd.map((address) => (address.includes('://') ? address : `http://${address}`)),
    prefix: settings.etcdPrefix,
    onEvent: (event, fields) => {
      if (event !== 'etcd-call') warn(event, fields)
    },
  })
  const store = await openCqlStore({
    contactPoints: cql.map((address) => address.replace(/^https?:\/\//, '')),
    localDataCenter: settings.cqlDataCenter,
    keyspace: settings.cqlKeyspace,
    replicationFactor: settings.cqlReplication,
    onEvent: (event, fields) => {
      if (event === 'store.connected') logger.info({ event, ...fields })
      else warn(event, fields)
    },
    ...(cqlUser !== null && cqlPassword !== null
      ? { credentials: { username: cqlUser, password: cqlPassword } }
      : {}),
  })
  const close = async () => {
    await Promise.allSettled([coordinator.close(), store.close()])
  }
  return { coordinator, store, close }
}
