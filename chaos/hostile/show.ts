import { bytesOf, type HostileRequest, isWellFramed, targetOf } from './request.ts'

/** A line for a shell that sends the request again: curl, or bare bytes where curl would mend. */
export function shellLine(request: HostileRequest, host: string, port: number): string {
  const bytes = bytesOf(request, `${host}:${port}`)
  const isPlain = isWellFramed(request) && /^[A-Z]+$/.test(request.method)
  if (!isPlain || !isPrintable(targetOf(request)))
    return `printf ${quoted(bytes)} | timeout 70 nc ${host} ${port}`
  const { method, headers, body, framing } = request
  const all = framing === 'chunked' ? [...headers, ['Transfer-Encoding', 'chunked']] : headers
  const parts = [
    `curl -sSig --http1.1 --path-as-is -X ${method}`,
    ...all.map(
      ([name, value]) => `-H ${quoted(Buffer.from(value ? `${name}: ${value}` : `${name};`))}`,
    ),
    ...(body === undefined ? [] : [`--data-binary ${quoted(body)}`]),
    quoted(Buffer.from(`http://${host}:${port}${targetOf(request)}`)),
  ]
  return parts.join(' ')
}

const shownBytesMax = 1_000

function isPrintable(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text)
}

/** Text for a shell; what is long is cut, and says so. */
function quoted(bytes: Buffer): string {
  const shown = bytes.subarray(0, shownBytesMax)
  const text = [...shown].map(escaped).join('')
  const cut = bytes.byteLength > shownBytesMax ? `…(${bytes.byteLength} bytes)` : ''
  return /\\|'/.test(text) || cut ? `$'${text}'${cut}` : `'${text}'`
}

function escaped(byte: number): string {
  if (byte === 0x0d) return '\\r'
  if (byte === 0x0a) return '\\n'
  if (byte === 0x27 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`
  if (byte < 0x20 || byte > 0x7e) return `\\x${byte.toString(16).padStart(2, '0')}`
  return String.fromCharCode(byte)
}
