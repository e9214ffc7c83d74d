import type { AddressInfo } from 'node:net'
import { createRequestTimes, createServer, limits, nodeName } from '@almanac/shared'
import type { FastifyInstance } from 'fastify'
import { untilAvailable } from '../base/patience.ts'
import { bounds } from '../config/bounds.ts'
import { OwnRecords } from '../registration/own-records.ts'
import { register } from '../registration/registration.ts'
import { addFitsRoute } from '../routes/fits.ts'
import { addForecastRoute, createForecastAnswer } from '../routes/forecast.ts'
import { accessGuard, identityGuard } from '../routes/guard.ts'
import { addLooksRoute } from '../routes/looks.ts'
import { addPredictionsRoute } from '../routes/predictions.ts'
import { addShardRoutes } from '../routes/shards.ts'
import { addStateRoute } from '../routes/state.ts'
import { createDirect, type Direct, internalPrefix } from './direct.ts'
import { createParts, type NodeOptions, type NodeParts } from './parts.ts'

export type { NodeOptions } from './parts.ts'

export type RunningNode = {
  /** Where it listens. */
  readonly url: string
  readonly port: number
  readonly instance: string
  /** For a broker in the same process. */
  readonly direct: Direct
  /** Leaves the cluster without a request lost. Bounded in time; asked twice, it is done once. */
  drain(): Promise<void>
  /** Leaves at once: open requests are cut. */
  close(): Promise<void>
}

/**
 * Starts one node; resolves when it listens, rejects when it cannot. It reaches the coordinator,
 * registers and loads what is wanted in its own time, however long that takes: see `/readyz`.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const parts = createParts(options)
  const { server, direct } = createNodeServer(parts)
  try {
    const { host, port } = options
    await server.listen({ host, port, backlog: limits.connectionsWaitingMax })
  } catch (error) {
    await stopParts(parts)
    throw error
  }
  const { address, port } = server.server.address() as AddressInfo
  parts.port = port
  parts.context.node = nodeName(options.advertiseIp, port)
  join(parts)
  let leaving: Promise<void> | undefined
  const leave = (answerMs: number) => {
    leaving ??= leaveCluster(parts, server, answerMs)
    return leaving
  }
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
    port,
    instance: parts.context.instance,
    direct,
    drain: () => leave(parts.context.timing.drainAnswerMs),
    close: async () => {
      parts.cut.abort()
      await leave(0)
    },
  }
}

function createNodeServer(parts: NodeParts) {
  const { context, registry, options, placed, view, queue } = parts
  const create = options.createServer ?? createServer
  const { logger } = context
  const times = createRequestTimes(registry)
  const server = create({
    logger,
    registry,
    times,
    bodyBytesMax: bounds.internalBodyBytesMax,
    readiness: () => {
      const reason = obstacle(parts)
      return reason === undefined ? { ready: true } : { ready: false, reason }
    },
  })
  // Callers that keep connections learn that this one is about to go.
  server.addHook('onSend', async (_request, reply) => {
    if (parts.drain.signal.aborted) reply.header('connection', 'close')
  })
  const { instance } = context
  const access = accessGuard(options)
  const identity = identityGuard({ instance, clusterId: () => parts.clusterId })
  const answer = createForecastAnswer(parts)
  server.register(
    async (internal) => {
      internal.addHook('onRequest', async ({ headers }) => access(headers))
      addStateRoute(internal, { identity: () => identityOf(parts), placed, view, queue })
      internal.register(async (addressed) => {
        addressed.addHook('onRequest', async ({ headers }) => identity(headers))
        addForecastRoute(addressed, answer)
        addShardRoutes(addressed, parts)
        addPredictionsRoute(addressed, parts)
        addFitsRoute(addressed, queue)
        if (options.roles.includes('fit')) addLooksRoute(addressed, parts)
      })
    },
    { prefix: internalPrefix },
  )
  const guards = [access, identity]
  return { server, direct: createDirect({ server, answer, guards, times, logger }) }
}

/** Why the node is not ready. Once it was, only a drain ends that: never a backend that is away. */
function obstacle(parts: NodeParts): string | undefined {
  if (parts.drain.signal.aborted) return 'This node is about to stop.'
  if (parts.wasReady) return undefined
  if (parts.clusterId === undefined || !parts.view.started())
    return 'The coordinator has not been reached yet.'
  if (!parts.registration?.registered()) return 'This node is not registered yet.'
  if (!parts.placed.settled()) return 'Models that are placed here are being loaded.'
  parts.wasReady = true
  return undefined
}

/** Finds the cluster, then registers in it; both for as long as it takes. */
function join(parts: NodeParts): void {
  const { context, drain } = parts
  const { clock, random, logger } = context
  const fitsBusy = () => parts.queue?.busy() ?? 0
  const own = new OwnRecords(identityOf(parts), fitsBusy, parts.placed)
  const find = async () => {
    parts.clusterId = await untilAvailable(() => context.coordinator.clusterId(drain.signal), {
      clock,
      random,
      signal: drain.signal,
      onWait: (error, tries) => {
        if (tries % 10 === 1) logger.warn({ event: 'coordinator-away', cause: error.message })
      },
    })
    parts.registration = register(context, own)
  }
  find().catch((error) => {
    if (!drain.signal.aborted) logger.error({ event: 'not-joined', err: error })
  })
}

function identityOf({ context, port, options, startedAt, fitsMax }: NodeParts) {
  return {
    node: context.node,
    ip: options.advertiseIp,
    port,
    instance: context.instance,
    roles: options.roles,
    fitsMax,
    startedAt,
  }
}

/** Deregisters, answers on for a while, gives fits back, and goes; cut short at `drainMs`. */
async function leaveCluster(
  parts: NodeParts,
  server: FastifyInstance,
  answerMs: number,
): Promise<void> {
  const { context, cut } = parts
  const { clock, logger } = context
  logger.info({ event: 'draining', node: context.node })
  parts.drain.abort()
  const over = new AbortController()
  const orderly = async () => {
    await Promise.all([
      parts.registration?.end(),
      parts.queue?.drained(),
      clock.sleep(answerMs, cut.signal).catch(() => {}),
    ])
    if (cut.signal.aborted) server.server.closeAllConnections()
    await server.close()
  }
  const done = orderly().catch((error) => logger.error({ event: 'drain-failed', err: error }))
  await Promise.race([done, lateness(parts, over.signal)])
  over.abort()
  server.server.closeAllConnections()
  // Without connections there is nothing that it could wait for.
  await server.close()
  await stopParts(parts)
  logger.info({ event: 'drained', node: context.node })
}

/** Resolves when leaving has taken too long: `drainMs`, or a moment where it must be at once. */
async function lateness({ context, cut }: NodeParts, over: AbortSignal): Promise<void> {
  const { clock, timing } = context
  const drainEnds = AbortSignal.any([over, cut.signal])
  await clock.sleep(timing.drainMs, drainEnds).catch(() => {})
  if (cut.signal.aborted) await clock.sleep(cutMs, over).catch(() => {})
}

/** For deregistering and for giving fits back when there is no time to answer on. */
const cutMs = 2_000

async function stopParts(parts: NodeParts): Promise<void> {
  parts.drain.abort()
  await Promise.all([parts.placed.stop(), parts.view.stop(), parts.pool?.close()])
}
