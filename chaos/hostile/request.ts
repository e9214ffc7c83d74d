/** How a body is put on the wire; all but the first two are lies or mistakes. */
export type Framing =
  | 'length'
  | 'chunked'
  /** A content-length above what is sent before the end. */
  | 'length-too-long'
  /** A content-length below it: the rest is taken for another request. */
  | 'length-too-short'
  | 'two-lengths'
  | 'length-and-chunked'
  | 'bad-chunk-size'
  | 'no-last-chunk'

export type Pair = readonly [name: string, value: string]

/** A request as bytes are made of it; nothing in it is checked or escaped on the way. */
export type HostileRequest = {
  readonly method: string
  /** As it stands on the wire, without the query. */
  readonly path: string
  readonly query: readonly Pair[]
  readonly headers: readonly Pair[]
  readonly body: Buffer | undefined
  readonly framing: Framing
}

/** Framings after which the connection cannot be used again. */
export const isWellFramed = ({ framing }: HostileRequest) =>
  framing === 'length' || framing === 'chunked'

export function targetOf({ path, query }: HostileRequest): string {
  if (query.length === 0) return path
  return `${path}?${query.map(([name, value]) => `${name}=${value}`).join('&')}`
}

/** The bytes of a request. Characters above U+00FF become UTF-8, as careless clients send them. */
export function bytesOf(request: HostileRequest, host: string): Buffer {
  const { method, headers, body } = request
  const lines = [`${method} ${targetOf(request)} HTTP/1.1`]
  if (!headers.some(([name]) => name.toLowerCase() === 'host')) lines.push(`Host: ${host}`)
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  if (body === undefined) return encoded(`${lines.join('\r\n')}\r\n\r\n`)
  const framed = framedBody(request.framing, body)
  const head = [...lines, ...framed.headers].join('\r\n')
  return Buffer.concat([encoded(`${head}\r\n\r\n`), ...framed.parts])
}

function framedBody(
  framing: Framing,
  body: Buffer,
): { readonly headers: readonly string[]; readonly parts: readonly Buffer[] } {
  const size = body.byteLength
  const length = (bytes: number) => `Content-Length: ${bytes}`
  const chunkedHeader = 'Transfer-Encoding: chunked'
  switch (framing) {
    case 'length':
      return { headers: [length(size)], parts: [body] }
    case 'length-too-long':
      return { headers: [length(size + 10)], parts: [body] }
    case 'length-too-short':
      return { headers: [length(Math.max(0, size - 5))], parts: [body] }
    case 'two-lengths':
      return { headers: [length(size), length(size + 1)], parts: [body] }
    case 'length-and-chunked':
      return { headers: [length(size), chunkedHeader], parts: chunks(body) }
    case 'chunked':
      return { headers: [chunkedHeader], parts: chunks(body) }
    case 'no-last-chunk':
      return { headers: [chunkedHeader], parts: chunks(body).slice(0, -1) }
    case 'bad-chunk-size':
      return {
        headers: [chunkedHeader],
        parts: [encoded('zz\r\n'), body, encoded('\r\n0\r\n\r\n')],
      }
  }
}

/** Chunks of growing sizes, the second with an extension. */
function chunks(body: Buffer): Buffer[] {
  const parts: Buffer[] = []
  let size = 1
  for (let at = 0; at < body.byteLength; at += size, size *= 3) {
    const piece = body.subarray(at, at + size)
    const extension = parts.length === 3 ? ';name="value"' : ''
    parts.push(encoded(`${piece.byteLength.toString(16)}${extension}\r\n`), piece, encoded('\r\n'))
  }
  parts.push(encoded('0\r\n\r\n'))
  return parts
}

function encoded(text: string): Buffer {
  return Buffer.from(text, 'utf8')
}
