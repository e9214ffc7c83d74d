import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable, Transform, type TransformCallback } from 'node:stream'
import type { FastifyInstance, preParsingHookHandler } from 'fastify'
import { Refused } from '../wire/problem.ts'
import { allowOwnTime } from './own-time.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route takes its body as a stream, and bounds its bytes, its time and its number. */
    streamsBody?: boolean
  }
}

/**
 * Bounds the bytes of all bodies that are on their way in. When they are too many, the largest of
 * them is refused: so nobody is kept from sending a small body by those who send large ones slowly.
 * Those of routes that stream are not counted: they are not kept.
 */
export function boundArrivingBodies(server: FastifyInstance, bytesMax: number): void {
  const arriving = new Set<ArrivingBody>()
  let totalBytes = 0
  const count = (bytes: number) => {
    totalBytes += bytes
    if (totalBytes > bytesMax) largestOf(arriving)?.refuse()
  }
  const counted = () => {
    const body = new ArrivingBody(count, () => {
      arriving.delete(body)
      totalBytes -= body.bytes
    })
    arriving.add(body)
    return body
  }
  const hookFor =
    (isStream: boolean): preParsingHookHandler =>
    (request, reply, payload, done) => {
      const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
      if (encoding === undefined && (length === undefined || length === '0')) {
        // Where neither header is, the server leaves out the end of the body, too.
        done(null, length === undefined ? Readable.from([]) : payload)
        return
      }
      const packed = faultOfCoding(request.headers['content-encoding'])
      if (packed) {
        done(packed)
        return
      }
      if (isStream) allowOwnTime(request.raw, reply.raw)
      const body = isStream ? new ArrivingBody() : counted()
      follow(request.raw, reply.raw, body)
      done(null, body)
    }
  server.addHook('onRoute', (route) => {
    const methods = [route.method].flat()
    if (!methods.some((method) => withBody.has(method))) return
    const isStream = route.config?.streamsBody === true
    route.preParsing = [hookFor(isStream), ...[route.preParsing ?? []].flat()]
  })
}

/** Nothing is unpacked: what is small on the wire could be of any size. */
function faultOfCoding(coding: string | undefined): Refused | undefined {
  if (coding === undefined || coding.toLowerCase() === 'identity') return undefined
  const shown = coding.slice(0, 40)
  return new Refused(415, 'content-encoding', `The body is coded as ${shown}.`, {
    field: 'content-encoding',
    remedy: 'Send it as it is.',
  })
}

const withBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

class ArrivingBody extends Transform {
  bytes = 0
  readonly #count: (bytes: number) => void
  readonly #leave: () => void
  #isGone = false

  constructor(count: (bytes: number) => void = () => {}, leave: () => void = () => {}) {
    super()
    this.#count = count
    this.#leave = leave
    // Whether anybody reads the body is up to the route.
    this.on('error', () => {})
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.byteLength
    this.#count(chunk.byteLength)
    if (!this.destroyed) done(null, chunk)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#isGone) this.#leave()
    this.#isGone = true
    done(error)
  }

  refuse(): void {
    const detail = 'Too many large bodies are being sent at the same time.'
    this.destroy(new Refused(429, 'too-many-bodies', detail, { retryAfterSeconds: 1 }))
  }
}

/** As `pipeline`, but the connection outlives the body: somebody wants an answer. */
function follow(request: IncomingMessage, response: ServerResponse, body: ArrivingBody): void {
  request.pipe(body)
  const left = () => {
    if (!request.complete) body.destroy(new Error('the client left'))
  }
  request.once('close', left)
  // What nobody has read is let go, for another request may follow it.
  response.once('close', () => {
    request.unpipe(body)
    request.resume()
    body.destroy()
  })
}

function largestOf(bodies: ReadonlySet<ArrivingBody>): ArrivingBody | undefined {
  let largest: ArrivingBody | undefined
  for (const body of bodies)
    if (!body.destroyed && body.bytes > (largest?.bytes ?? 0)) largest = body
  return largest
}
