import { join } from 'node:path'
import { limits } from '../limits.ts'
import { SparkFault } from './faults.ts'
import type { SparkService } from './protocol.ts'

/** Where Spark is, and how it is spoken to. */
export type SparkAt = {
  /** Like `host:port`. */
  readonly address: string
  /** Its certificate is held against those that Node trusts. Not, if not said. */
  readonly tls?: boolean
  /** Says with each call who asks. */
  readonly token?: string | null
}

/** A client for `connect.proto`. Who has no Spark does not load what speaks to it. */
export async function connectSpark({ address, tls = false, token = null }: SparkAt) {
  const [grpc, { loadSync }] = await Promise.all([
    import('@grpc/grpc-js'),
    import('@grpc/proto-loader'),
  ])
  const definition = loadSync(join(import.meta.dirname, 'connect.proto'), {
    longs: Number,
    enums: String,
  })
  const service = definition['spark.connect.SparkConnectService']
  if (!service || 'format' in service) throw new SparkFault('failed', 'the protocol is not there')
  const SparkConnect = grpc.makeGenericClientConstructor(service, 'SparkConnectService')
  const credentials = tls ? grpc.credentials.createSsl() : grpc.credentials.createInsecure()
  const client = new SparkConnect(address, credentials, {
    'grpc.max_receive_message_length': limits.sparkMessageBytesMax,
    'grpc.initial_reconnect_backoff_ms': 500,
    'grpc.max_reconnect_backoff_ms': 5_000,
  })
  const metadata = new grpc.Metadata()
  if (token !== null) metadata.set('authorization', `Bearer ${token}`)
  return { service: client as unknown as SparkService, metadata }
}
