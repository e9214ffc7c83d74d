import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

/** What was asked of the server, and the stream that answers it. */
export type Asked = {
  readonly call: 'executePlan' | 'reattachExecute'
  readonly sql: string | undefined
  readonly operationId: string
  readonly lastResponseId: string | undefined
  /** Sends an answer; its bytes are a batch of Arrow, without them it is the last one. */
  readonly send: (responseId: string, batch?: Uint8Array) => void
  readonly end: () => void
  readonly fail: (code: number, details: string) => void
  /** Resolves when the client has let go of the call. */
  readonly cancelled: Promise<void>
}

export type SparkServer = {
  readonly address: string
  /** The calls that came, but for those of the plans, in their order. */
  readonly others: readonly string[]
  readonly stop: () => void
}

/**
 * A server that speaks the protocol and does what a test says: for the faults of a connection,
 * which a real Spark does not have when asked to.
 */
export async function startSparkServer(
  answer: (asked: Asked) => void,
  { tls, token }: Locked = {},
): Promise<SparkServer> {
  const proto = join(import.meta.dirname, '../../src/spark/connect.proto')
  const service = loadSync(proto, { longs: Number, enums: String })[
    'spark.connect.SparkConnectService'
  ] as grpc.ServiceDefinition
  const others: string[] = []
  const stream = (call: Asked['call']) => (given: grpc.ServerWritableStream<Request, object>) => {
    const { operationId, lastResponseId, plan } = given.request
    answer({
      ...{ call, operationId, lastResponseId },
      sql: plan?.root?.sql.query ?? plan?.command?.sqlCommand.input.sql.query,
      send: (responseId, data) => {
        const answered = data ? { arrowBatch: { rowCount: 1, data } } : { resultComplete: {} }
        given.write({ serverSideSessionId: 'here', responseId, operationId, ...answered })
      },
      end: () => given.end(),
      fail: (code, details) => void given.emit('error', { code, details }),
      cancelled: new Promise((resolve) => given.once('cancelled', resolve)),
    })
  }
  const other =
    (name: string): grpc.handleUnaryCall<object, object> =>
    (_, done) => {
      others.push(name)
      done(null, {})
    }
  const interceptors = token === undefined ? [] : [lockedBy(token)]
  const server = new grpc.Server({ interceptors })
  server.addService(service, {
    ExecutePlan: stream('executePlan'),
    ReattachExecute: stream('reattachExecute'),
    ReleaseExecute: other('releaseExecute'),
    Interrupt: other('interrupt'),
    ReleaseSession: other('releaseSession'),
  })
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = tls
      ? grpc.ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }])
      : grpc.ServerCredentials.createInsecure()
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return { address: `localhost:${port}`, others, stop: () => server.forceShutdown() }
}

type Locked = {
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
  readonly token?: string
}

/** Turns away who does not say it, in the words of Spark 4.0. */
function lockedBy(token: string): grpc.ServerInterceptor {
  return (_, call) =>
    new grpc.ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, take) => {
            const said = metadata.get('authorization')
            if (said.length === 1 && said[0] === `Bearer ${token}`) return take(metadata)
            call.sendStatus({ code: 16, details: 'Invalid authentication token' })
          },
        }),
    })
}

type Sql = { readonly sql: { readonly query: string } }
type Request = {
  readonly operationId: string
  readonly lastResponseId?: string
  readonly plan?: {
    readonly root?: Sql | null
    readonly command?: { readonly sqlCommand: { readonly input: Sql } } | null
  }
}
