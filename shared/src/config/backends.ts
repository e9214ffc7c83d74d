import { addresses, integer, optionalText, secret, text } from './kinds.ts'

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
