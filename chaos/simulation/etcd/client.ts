import type { Etcd3, IWatchRequest, IWatchResponse } from 'etcd3'
import type { Network } from '../world/network.ts'
import type { Steps } from '../world/steps.ts'
import type { Process, World } from '../world/world.ts'
import type { Etcd, TxnRequest } from './etcd.ts'
import { EtcdError } from './key-values.ts'
import { ServerWatch } from './server-watch.ts'

export type ClientParts = {
  readonly world: World
  readonly network: Network
  readonly etcd: Etcd
  readonly process: Process
  readonly steps?: Steps | undefined
}

const place = 'etcd'

/**
 * What the etcd adapter uses of the library's client, over the simulated network: unary calls and
 * raw streams. Requests and answers are lost one by one, so that what was applied may not be known.
 */
export function createEtcdClient(parts: ClientParts): Etcd3 {
  const client = new Client(parts)
  const { etcd } = parts
  const made = {
    kv: {
      range: (request: Parameters<Etcd['range']>[0]) =>
        client.unary('range', () => etcd.range(request)),
      txn: (request: TxnRequest) => client.unary(told(request), () => etcd.txn(request)),
      compact: ({ revision }: { revision: string }) =>
        client.unary('compact', () => etcd.compact(Number(revision))),
    },
    leaseClient: {
      leaseGrant: ({ TTL }: { TTL: string }) =>
        client.unary('grant', () => {
          const { id, ttlSeconds } = etcd.leases.grant(Number(TTL))
          return { header: etcd.header(), ID: id, TTL: String(ttlSeconds), error: '' }
        }),
      leaseRevoke: ({ ID }: { ID: string }) =>
        client.unary('revoke', () => {
          if (!etcd.leases.revoke(ID)) throw new EtcdError('etcdserver: requested lease not found')
          return { header: etcd.header() }
        }),
      leaseKeepAlive: async () => new KeepAliveStream(client, etcd),
    },
    watchClient: { watch: () => client.openWatch() },
    close: () => client.close(),
  }
  return made as unknown as Etcd3
}

class Client {
  readonly #parts: ClientParts
  #isClosed = false

  constructor(parts: ClientParts) {
    this.#parts = parts
  }

  /** The answer, or an error; or nothing ever, where messages get lost without a word. */
  unary<T>(name: string | (() => string), serve: () => T): Promise<T> {
    const { world, process, steps } = this.#parts
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(unavailable('the client is closed'))
      const fate = steps?.fateOf(process, name) ?? 'goes on'
      if (fate === 'dies before') steps?.die(process)
      const arrive = () => {
        const answer = attempt(serve)
        if (fate === 'dies after') steps?.die(process)
        if (fate === 'hears nothing') {
          this.#toClient(reject, () => reject(unavailable('connection reset')))
          return
        }
        this.#toClient(reject, () =>
          'error' in answer ? reject(answer.error) : resolve(answer.value),
        )
      }
      if (fate !== 'stalls') {
        this.#toServer(reject, arrive)
        return
      }
      steps?.stall(process)
      world.after(0, process, () => this.#toServer(reject, arrive))
    })
  }

  openWatch(): Promise<WatchStream> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(unavailable('the client is closed'))
      this.#toServer(reject, () =>
        this.#toClient(reject, () => {
          resolve(new WatchStream(this.#parts))
        }),
      )
    })
  }

  /** As with gRPC, streams that are open go on until they end or are cancelled. */
  close(): void {
    this.#isClosed = true
  }

  #toServer(reject: (error: Error) => void, arrive: () => void): void {
    const { world, network, etcd, process } = this.#parts
    if (process.state === 'dead') return
    const delayMs = network.delayMs(process.name, place)
    const refuse = (why: string) => world.after(delayMs, process, () => reject(unavailable(why)))
    if (network.loses(process.name, place)) return void refuse('connection reset')
    const serve = () => {
      if (etcd.isAway) this.#toClient(reject, () => reject(unavailable('connection refused')))
      else arrive()
    }
    if (!network.isCut(process.name, place)) return void world.after(delayMs, undefined, serve)
    // Some of what was sent into a cut comes through once it is over: far too late.
    if (world.random() >= lateShare) return
    const off = network.onHealed(() => {
      if (network.isCut(process.name, place)) return
      off()
      world.after(delayMs, undefined, serve)
    })
  }

  #toClient(reject: (error: Error) => void, arrive: () => void): void {
    const { world, network, process } = this.#parts
    if (network.isCut(place, process.name)) return
    const delayMs = network.delayMs(place, process.name)
    const isLost = network.loses(place, process.name)
    world.after(delayMs, process, isLost ? () => reject(unavailable('connection reset')) : arrive)
  }
}

/** A transaction by the keys that it writes. */
const told =
  ({ success }: TxnRequest) =>
  () =>
    `txn ${success
      .map(({ request_put: put, request_delete_range: gone }) => put?.key ?? `-${gone?.key}`)
      .join(' ')}`

const lateShare = 0.3

function attempt<T>(work: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: work() }
  } catch (error) {
    return { error }
  }
}

const unavailable = (why: string) => new EtcdError(`14 UNAVAILABLE: ${why}`)

type Handlers = Map<string, (value: never) => void>

/** Answers each question by itself, as the adapter asks them: one to a stream. */
class KeepAliveStream {
  readonly #client: Client
  readonly #etcd: Etcd
  readonly #handlers: Handlers = new Map()

  constructor(client: Client, etcd: Etcd) {
    this.#client = client
    this.#etcd = etcd
  }

  on(event: string, handler: (value: never) => void): this {
    this.#handlers.set(event, handler)
    return this
  }

  write({ ID }: { ID: string }): void {
    const tell = (event: string, value: unknown) => this.#handlers.get(event)?.(value as never)
    this.#client
      .unary('keep-alive', () => String(this.#etcd.leases.keepAlive(ID)))
      .then(
        (TTL) => tell('data', { ID, TTL }),
        (error) => tell('error', error),
      )
  }

  end(): void {}
}

/** A watch over one connection: what is sent arrives in order, or the stream breaks. */
export class WatchStream {
  readonly #parts: ClientParts
  readonly #server: ServerWatch
  readonly #handlers: Handlers = new Map()
  readonly #sent: (() => void)[] = []
  #arrivesMs = 0
  #isOver = false
  #isForgotten = false
  readonly #off: () => void

  constructor(parts: ClientParts) {
    this.#parts = parts
    this.#server = new ServerWatch(parts.etcd, (response) => this.#transmit('data', response))
    this.#off = parts.network.onHealed(() => this.#flush())
    parts.etcd.streams.add(this)
  }

  get process(): Process {
    return this.#parts.process
  }

  on(event: string, handler: (value: never) => void): this {
    this.#handlers.set(event, handler)
    return this
  }

  write(request: IWatchRequest): void {
    const { world, network, process } = this.#parts
    if (this.#isOver || process.state === 'dead') return
    // What does not arrive at once is found out by the silence that follows.
    if (network.isCut(process.name, place)) return
    world.after(network.delayMs(process.name, place), undefined, () => {
      if (this.#isOver || this.#isForgotten) return
      if ('create_request' in request && request.create_request)
        this.#server.create(request.create_request)
      else this.#server.progress()
    })
  }

  end(): void {
    this.cancel()
  }

  cancel(): void {
    this.#end()
  }

  /** The connection breaks: the client is told, if word reaches it. */
  break(why: string): void {
    this.#server.close()
    this.#transmit('error', unavailable(why))
    this.#isForgotten = true
  }

  /** The server side is gone without a word, as behind a half-open connection. */
  forget(): void {
    this.#server.close()
    this.#isForgotten = true
  }

  #transmit(event: 'data' | 'error', value: IWatchResponse | Error): void {
    if (this.#isOver || this.#isForgotten) return
    this.#sent.push(() => this.#handlers.get(event)?.(value as never))
    this.#flush()
  }

  #flush(): void {
    const { world, network, process } = this.#parts
    if (this.#isOver || network.isCut(place, process.name)) return
    for (const arrive of this.#sent.splice(0)) {
      const delayMs = network.delayMs(place, process.name)
      this.#arrivesMs = Math.max(this.#arrivesMs, world.nowMs + delayMs)
      world.after(this.#arrivesMs - world.nowMs, process, () => {
        if (!this.#isOver) arrive()
      })
    }
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#server.close()
    this.#off()
    this.#parts.etcd.streams.delete(this)
  }
}
