import type { Etcd3, IOptions } from 'etcd3'
import type { Clock } from '../../base/clock.ts'
import { Unavailable } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { bounded } from '../deadline.ts'
import { faultOf, Wrapped } from './faults.ts'

/** What happened, for logs and metrics: an event name and its fields; never a secret. */
export type OnEtcdEvent = (name: string, fields: Readonly<Record<string, unknown>>) => void

export type ConnectionOptions = {
  readonly endpoints: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly callTimeoutMs: number
  readonly onEvent: OnEtcdEvent
  readonly auth?: { readonly username: string; readonly password: string }
  readonly tls?: EtcdTls
  /** How a client is made; a simulation brings its own. `generation` counts them. */
  readonly createClient?: CreateClient
}

export type CreateClient = (endpoint: string, generation: number) => Etcd3

/** PEM text. */
export type EtcdTls = {
  readonly rootCertificate: Buffer
  readonly privateKey?: Buffer
  readonly certChain?: Buffer
}

/**
 * One client to one endpoint at a time, replaced when it does not do its work: by a client to the
 * next endpoint, which may be the same one.
 */
export interface Connection {
  /**
   * One unary call or one step of a stream, within the call timeout. Rejects with `Unavailable`,
   * with `Missing` for a lease that is not there, or with the signal's reason. Never tries twice.
   */
  call<T>(name: string, work: (client: Etcd3) => Promise<T>, signal: AbortSignal): Promise<T>
  /** The client of now counts as broken; a newer one is left alone. */
  abandon(client: Etcd3, reason: string): void
  close(): void
}

export async function connect(options: ConnectionOptions): Promise<Connection> {
  const createClient = options.createClient ?? (await libraryClients(options))
  const build = (count: number) => createClient(endpointOf(options, count), count)
  const { endpoints, clock, callTimeoutMs, onEvent } = options
  // Clients spread over the members.
  let generation = Math.floor(options.random() * endpoints.length)
  let client = build(generation)
  let builtMs = clock.monotonicMs()
  let failures = 0
  let closed = false

  function abandon(broken: Etcd3, reason: string): void {
    if (closed || broken !== client) return
    generation += 1
    failures = 0
    builtMs = clock.monotonicMs()
    client = build(generation)
    broken.close()
    onEvent('etcd-client-rebuilt', { endpoint: endpointOf(options, generation), reason })
  }

  /** Counts in a row: one bad answer is chance, several are a client that has to go. */
  function failed(broken: Etcd3, reason: string): void {
    if (broken !== client) return
    failures += 1
    const { failuresMax, pauseMs } = endpoints.length > 1 ? patience.several : patience.one
    const ageMs = clock.monotonicMs() - builtMs
    if (failures >= failuresMax && ageMs >= pauseMs) abandon(broken, reason)
  }

  return {
    async call(name, work, signal) {
      if (closed) throw new Unavailable('coordinator', 'it was closed')
      const used = client
      const startedMs = clock.monotonicMs()
      const late = () =>
        new Unavailable('coordinator', `etcd: ${name} took over ${callTimeoutMs} ms`)
      const tookMs = () => clock.monotonicMs() - startedMs
      try {
        const bound = { clock, ms: callTimeoutMs, signal, late }
        const result = await bounded(() => work(used), bound)
        if (used === client) failures = 0
        onEvent('etcd-call', { call: name, ok: true, ms: tookMs() })
        return result
      } catch (error) {
        if (signal.aborted) {
          if (isPatient(signal, tookMs() / callTimeoutMs)) failed(used, `${name}: no answer`)
          throw error
        }
        const fault = faultOf(name, error)
        if (fault instanceof Unavailable) {
          failed(used, fault.message)
          onEvent('etcd-call', { call: name, ok: false, ms: tookMs(), reason: fault.message })
        }
        throw fault
      }
    },
    abandon,
    close() {
      closed = true
      client.close()
    },
  }
}

/**
 * Whether the caller's own deadline has passed, after a time in which any member that is well
 * answers. Most deadlines are as long as a call may take, or shorter: they pass first.
 */
const isPatient = (signal: AbortSignal, shareOfTimeout: number) =>
  shareOfTimeout >= 0.5 && (signal.reason as Error | undefined)?.name === 'TimeoutError'

/**
 * When a client is given up. With several endpoints the next one may do better at once; with one, a
 * new client helps only when the channel itself is stuck. Either needs a moment to connect.
 */
const patience = {
  several: { failuresMax: 1, pauseMs: 1_000 },
  one: { failuresMax: 3, pauseMs: 5_000 },
} as const

/** A page of the largest values, with room. */
const receiveBytesMax = 67_108_864

const endpointOf = ({ endpoints }: ConnectionOptions, generation: number) =>
  endpoints[generation % endpoints.length] as string

/** The library takes memory and time to load: only who has an etcd pays for it. */
async function libraryClients({
  callTimeoutMs,
  auth,
  tls,
}: ConnectionOptions): Promise<CreateClient> {
  const { Etcd3 } = await import('etcd3')
  return (endpoint, generation) =>
    new Etcd3({
      hosts: [endpoint],
      ...(auth ? { auth: { ...auth } } : {}),
      ...(tls ? { credentials: { ...tls } } : {}),
      // The library's own retries would repeat transactions whose outcome is unknown, and its
      // circuit breaker would refuse calls for seconds after etcd is back.
      faultHandling: { global: passThrough, host: () => passThrough },
      defaultCallOptions: ({ isStream }) =>
        isStream ? {} : { deadline: Date.now() + callTimeoutMs + deadlineSlackMs },
      grpcOptions: {
        // Etcd closes connections that ping more often than every 5 s, or with nothing under way.
        'grpc.keepalive_time_ms': 10_000,
        'grpc.keepalive_timeout_ms': 3_000,
        'grpc.keepalive_permit_without_calls': 0,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.min_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 1_000,
        'grpc.max_receive_message_length': receiveBytesMax,
        // Channels share connections among equal options: a rebuilt client must get its own, not
        // the one that is stuck.
        'grpc.primary_user_agent': `almanac/${process.pid}.${generation}`,
      },
    })
}

/** Our own deadline answers first; this one only frees what the call holds. */
const deadlineSlackMs = 500

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>

const unused = () => ({ dispose() {} })

/**
 * Errors pass in a wrapper, because the library closes all channels of a host at the sight of most
 * errors: what is broken is decided here, in one place, by `failed`.
 */
const passThrough: Policy = {
  _altReturn: undefined as never,
  onSuccess: unused,
  onFailure: unused,
  async execute(work) {
    try {
      return await work({ signal: new AbortController().signal })
    } catch (error) {
      throw error instanceof Wrapped ? error : new Wrapped(error)
    }
  },
}
