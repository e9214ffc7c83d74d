import { join } from 'node:path'
import { limits } from '../limits.ts'
import { SparkFault } from './faults.ts'
import type { SparkService } from './protocol.ts'

/** A client for `connect.proto`. Who has no Spark does not load what speaks to it. */
export async function connectSpark(address: string) {
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
  const client = new SparkConnect(address, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': limits.sparkMessageBytesMax,
    'grpc.initial_reconnect_backoff_ms': 500,
    'grpc.max_reconnect_backoff_ms': 5_000,
  })
  return { service: client as unknown as SparkService, metadata: new grpc.Metadata() }
}
