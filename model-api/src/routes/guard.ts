import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { headers as names, Refused } from '@almanac/shared'

export type Guarded = {
  readonly token: string | null
  readonly instance: string
  /** Undefined until the coordinator has told it. */
  readonly clusterId: () => string | undefined
}

/** Throws a refusal where a request with these headers must not go on. */
export type Guard = (headers: IncomingHttpHeaders) => void

/** Whoever asks must know the token, and must not be a browser. */
export function accessGuard({ token }: Pick<Guarded, 'token'>): Guard {
  const wanted = token === null ? undefined : digest(`Bearer ${token}`)
  return (headers) => {
    if (headers.origin !== undefined)
      throw new Refused(403, 'no-browsers', 'Nodes are asked by brokers, not by web pages.')
    if (wanted === undefined) return
    // Digests have one length, and comparing them takes one time.
    if (!timingSafeEqual(digest(headers.authorization ?? ''), wanted))
      throw new Refused(401, 'token', 'The request carries no valid token.', {
        field: 'authorization',
      })
  }
}

/** Whoever asks must mean this very process in this very cluster. */
export function identityGuard({ instance, clusterId }: Omit<Guarded, 'token'>): Guard {
  return (headers) => {
    requireSame(headers, names.instance, instance)
    const cluster = clusterId()
    if (cluster === undefined)
      throw new Refused(503, 'not-ready', 'The coordinator has not been reached yet.', {
        retryAfterSeconds: 1,
      })
    requireSame(headers, names.cluster, cluster)
  }
}

function requireSame(headers: IncomingHttpHeaders, header: string, own: string): void {
  if (headers[header] === own) return
  throw new Refused(421, 'misdirected', `The header ${header} does not name this process.`, {
    field: header,
  })
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
