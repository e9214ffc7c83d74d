import { isLoopback, Refused } from '@almanac/shared'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/**
 * Only names that are known to mean this process are answered, and no web page from elsewhere: a
 * page that makes its own name resolve to this machine (DNS rebinding) gets nothing. On loopback
 * those are the loopback names; elsewhere the names are given, or every name is answered.
 */
export function guardHosts(
  server: FastifyInstance,
  host: string,
  allowed: readonly string[] | null,
): void {
  if (allowed === null && !isLoopback(host)) return
  const names = new Set(allowed?.map((name) => name.toLowerCase()))
  const isKnown = (authority: string) =>
    (isLoopback(host) && isLoopbackAuthority(authority)) ||
    names.has(authority.replace(/:\d{1,5}$/, '').toLowerCase())
  server.addHook('onRequest', (request, _reply, done) => done(foreign(request, isKnown)))
}

function foreign(
  request: FastifyRequest,
  isKnown: (authority: string) => boolean,
): Refused | undefined {
  const { host: asked, origin } = request.headers
  if (asked !== undefined && !isKnown(asked))
    return new Refused(403, 'host', `This process does not answer for ${asked.slice(0, 100)}.`, {
      field: 'host',
      remedy: 'Ask for a name that it knows, or name this one in --allowed-hosts.',
    })
  if (origin !== undefined && !isKnown(origin.replace(/^https?:\/\//, '')))
    return new Refused(403, 'origin', 'Web pages from elsewhere are not answered.', {
      field: 'origin',
    })
  return undefined
}

/** Every answer is JSON; who accepts none gets a 406. */
export function unacceptable(request: FastifyRequest): Refused | undefined {
  const { accept } = request.headers
  if (accept === undefined || accept === '*/*' || acceptsJson(accept)) return undefined
  return new Refused(406, 'not-acceptable', 'Answers are given as application/json only.', {
    field: 'accept',
  })
}

function acceptsJson(accept: string): boolean {
  return accept.split(',').some((part) => {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const isRefused = parameters.some((text) => /^q=0(\.0*)?$/.test(text))
    const fits = ['*/*', 'application/*', 'application/json', 'application/problem+json']
    return !isRefused && fits.includes(type)
  })
}

function isLoopbackAuthority(authority: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(authority)
}
