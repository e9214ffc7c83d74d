import { createHash, timingSafeEqual } from 'node:crypto'
import { headers, Refused } from '@almanac/shared'
import type { FastifyInstance, FastifyRequest } from 'fastify'

export type Guarded = {
  readonly token: string | null
  readonly instance: string
  /** Undefined until the coordinator has told it. */
  readonly clusterId: () => string | undefined
}

/** Whoever asks must know the token, and must not be a browser. */
export function guardAccess(server: FastifyInstance, { token }: Guarded): void {
  const wanted = token === null ? undefined : digest(`Bearer ${token}`)
  server.addHook('onRequest', async (request) => {
    if (request.headers.origin !== undefined)
      throw new Refused(403, 'no-browsers', 'Nodes are asked by brokers, not by web pages.')
    const given = digest(request.headers.authorization ?? '')
    // Digests have one length, and comparing them takes one time.
    if (wanted !== undefined && !timingSafeEqual(given, wanted))
      throw new Refused(401, 'token', 'The request carries no valid token.', {
        field: 'authorization',
      })
  })
}

/** Whoever asks must mean this very process in this very cluster. */
export function guardIdentity(server: FastifyInstance, { instance, clusterId }: Guarded): void {
  server.addHook('onRequest', async (request) => {
    requireSame(request, headers.instance, instance)
    const cluster = clusterId()
    if (cluster === undefined)
      throw new Refused(503, 'not-ready', 'The coordinator has not been reached yet.', {
        retryAfterSeconds: 1,
      })
    requireSame(request, headers.cluster, cluster)
  })
}

function requireSame(request: FastifyRequest, header: string, own: string): void {
  if (request.headers[header] === own) return
  throw new Refused(421, 'misdirected', `The header ${header} does not name this process.`, {
    field: header,
  })
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
