import type { CqlStoreOptions } from './options.ts'

/**
 * `version`: what the migrations so far have made. `compatible`: the oldest release's version that
 * still works on it, so that two releases run side by side during an upgrade.
 */
export type Migration = { readonly compatible: number; readonly statements: readonly string[] }

/**
 * One entry a version, never changed once released. Each statement may run twice. Only what
 * Cassandra and ScyllaDB both have.
 *
 * Partitions are bounded: `blobs` by the time that ids of one period span (17 minutes), `chunks`
 * by 32 chunks (8 MB), `records` by the ids that share a beginning. `blob_periods` and
 * `record_buckets` say which partitions there are, in order: a row of some 50 bytes each.
 */
export function migrations(keyspace: string): readonly Migration[] {
  return [
    {
      compatible: 1,
      statements: [
        `CREATE TABLE IF NOT EXISTS ${keyspace}.blob_periods (
           kind text, period text, begun_at text, PRIMARY KEY ((kind), period))`,
        `CREATE TABLE IF NOT EXISTS ${keyspace}.blobs (
           kind text, period text, id text, label text, size_bytes int, begun_at text,
           sha256 text, chunk_count int, chunk_bytes int, created_at text, seal text,
           PRIMARY KEY ((kind, period), id))`,
        `CREATE TABLE IF NOT EXISTS ${keyspace}.chunks (
           kind text, id text, bucket int, number int, bytes blob, sha256 text,
           PRIMARY KEY ((kind, id, bucket), number))`,
        `CREATE TABLE IF NOT EXISTS ${keyspace}.record_buckets (
           collection text, scope text, bucket text, PRIMARY KEY ((collection, scope), bucket))
         WITH CLUSTERING ORDER BY (bucket DESC)`,
        `CREATE TABLE IF NOT EXISTS ${keyspace}.records (
           collection text, scope text, bucket text, id text, value text,
           PRIMARY KEY ((collection, scope, bucket), id))
         WITH CLUSTERING ORDER BY (id DESC)`,
      ],
    },
  ]
}

export function keyspaceStatement(options: CqlStoreOptions): string {
  const { keyspace, localDataCenter, replicationFactor = 1 } = options
  return `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication =
    {'class': 'NetworkTopologyStrategy', '${localDataCenter}': ${replicationFactor}}`
}

/** What migrating itself needs, made before the first migration. */
export function versionTables(keyspace: string): ReadonlyMap<string, string> {
  return new Map([
    [
      'schema_version',
      `CREATE TABLE IF NOT EXISTS ${keyspace}.schema_version (
         part text PRIMARY KEY, version int, compatible int)`,
    ],
    [
      'schema_claims',
      `CREATE TABLE IF NOT EXISTS ${keyspace}.schema_claims (part text PRIMARY KEY, holder text)`,
    ],
  ])
}
