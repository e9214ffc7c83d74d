import { hostname } from 'node:os'
import {
  type Clock,
  type Coordinator,
  createRegistry,
  type Files,
  type FilesPlace,
  isLoopback,
  type Logger,
  limits,
  type Messages,
  type Random,
  type Store,
  systemClock,
  systemRandom,
} from '@almanac/shared'
import type { FastifyInstance } from 'fastify'
import { type Bounds, boundsOf } from '../config/bounds.ts'
import type { Announced } from '../messages/handle-message.ts'
import type { Upstream } from '../routing/upstream.ts'
import { createApiServer } from './api-server.ts'
import { assemble } from './assemble.ts'

export type BrokerOptions = {
  readonly coordinator: Coordinator
  readonly store: Store
  /** Files that users bring; without them their routes refuse. */
  readonly files?: Files | undefined
  /** Where they are, so that URLs in messages are understood. */
  readonly filesPlace?: FilesPlace | null
  /** Messages that ask for fits; without them nobody does. */
  readonly messages?: Messages | undefined
  /** What becomes of a file that a message names and says no more of; without it a dead letter. */
  readonly announced?: Announced | undefined
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly logger: Logger
  /** Shared with the nodes; null only on loopback. */
  readonly token: string | null
  /** The names that it answers for, without ports. Default: those of loopback there, else any. */
  readonly allowedHosts?: readonly string[] | null
  /** How this broker is named in logs and in the log of promotions. */
  readonly name?: string
  readonly clock?: Clock
  readonly random?: Random
  /** The way to nodes; HTTP when it is not given. Closed with the broker. */
  readonly upstream?: Upstream
  /** Bounds that differ from `limits`; for tests. */
  readonly bounds?: Partial<Bounds>
}

export type Broker = {
  readonly url: string
  readonly port: number
  /** Answers for a while, then stops listening, finishes what is open and ends. */
  readonly drain: () => Promise<void>
  /** Ends at once. Coordinator, store, files and messages belong to the caller, and stay open. */
  readonly close: () => Promise<void>
}

/** Starts a broker in this process. Rejects when it cannot listen. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { host, logger, clock = systemClock, random = systemRandom } = options
  if (!isLoopback(host) && options.token === null)
    throw new Error(`${host} is open to the network: a token is needed`)
  const bounds = boundsOf(options.bounds)
  const registry = createRegistry('broker')
  const who = options.name ?? `broker ${hostname()} ${process.pid}`
  const upstream = options.upstream ?? (await httpUpstream(bounds))
  const parts = { ...options, clock, random, bounds, registry, who, upstream }
  const assembly = assemble(parts)
  const { allowedHosts = null } = options
  const server = await createApiServer({ parts: assembly.api, registry, host, allowedHosts })
  try {
    await server.listen({ host, port: options.port, backlog: limits.connectionsWaitingMax })
  } catch (error) {
    await assembly.close()
    throw error
  }
  const address = server.server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  const url = `http://${nameOf(host)}:${port}`
  let ending: Promise<void> | undefined
  const end = async () => {
    assembly.stop()
    await endServer(server, bounds.drainMs)
    await assembly.close()
  }
  return {
    url,
    port,
    drain: async () => {
      if (ending) return await ending
      assembly.startDraining()
      logger.info({ event: 'broker-draining' })
      await clock.sleep(bounds.drainAnswerMs, AbortSignal.timeout(bounds.drainMs))
      ending ??= end()
      await ending
    },
    close: async () => {
      assembly.startDraining()
      server.server.closeAllConnections()
      ending ??= end()
      await ending
    },
  }
}

/** Where nodes are in this process its client library is not even loaded. */
async function httpUpstream(bounds: Bounds): Promise<Upstream> {
  const { createUpstream } = await import('../routing/upstream.ts')
  return createUpstream(bounds)
}

/** Finishes what is open; cut short when that takes too long. */
async function endServer(server: FastifyInstance, drainMs: number): Promise<void> {
  const timer = setTimeout(() => server.server.closeAllConnections(), drainMs)
  await server.close()
  clearTimeout(timer)
}

/** A name under which the address can be asked for: every address means this one, too. */
function nameOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  if (isLoopback(host) || !host.includes(':')) return host.includes(':') ? `[${host}]` : host
  return `[${host}]`
}
