import { isLoopback, Refused } from '@almanac/shared'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/**
 * On loopback only loopback names are answered, and no web page from elsewhere: a page that makes
 * its own name resolve to this machine (DNS rebinding) gets nothing. Off loopback names are not
 * known here.
 */
export function guardLoopback(server: FastifyInstance, host: string): void {
  if (!isLoopback(host)) return
  server.addHook('onRequest', (request, _reply, done) => done(foreign(request)))
}

function foreign(request: FastifyRequest): Refused | undefined {
  const { host: asked, origin } = request.headers
  if (asked !== undefined && !isLoopbackAuthority(asked))
    return new Refused(403, 'host', `This process does not answer for ${asked.slice(0, 100)}.`, {
      field: 'host',
      remedy: 'Ask for localhost or 127.0.0.1, or start it with another --host.',
    })
  if (origin !== undefined && !isLoopbackOrigin(origin))
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

function isLoopbackOrigin(origin: string): boolean {
  return /^https?:\/\//.test(origin) && isLoopbackAuthority(origin.replace(/^https?:\/\//, ''))
}

function isLoopbackAuthority(authority: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(authority)
}
