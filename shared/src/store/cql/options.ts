import type { ConnectionOptions } from 'node:tls'
import type { Clock } from '../../base/clock.ts'

export type CqlStoreOptions = {
  /** `host:port`, some of the cluster's nodes. */
  readonly contactPoints: readonly string[]
  readonly localDataCenter: string
  readonly keyspace: string
  /** Copies of each row in the local data centre, when this process creates the keyspace. */
  readonly replicationFactor?: number
  readonly credentials?: { readonly username: string; readonly password: string }
  readonly tls?: ConnectionOptions
  /** For one call, its wait included. Default `limits.storeCallMs`. */
  readonly callTimeoutMs?: number
  readonly clock?: Pick<Clock, 'wallTime'>
  /** Told when the connection is made, fails or is made anew. Must not throw. */
  readonly onEvent?: (name: string, fields: Readonly<Record<string, unknown>>) => void
}
