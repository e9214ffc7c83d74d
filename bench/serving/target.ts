/** What a server is asked for a forecast of 500 steps; LEVEL stands for the level in percent. */
export type Target = {
  readonly origin: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

export function urlOf(target: Target, level: number): { url: string; init: RequestInit } {
  const { method, headers } = target
  const body = target.body.replace('LEVEL', String(level))
  return {
    url: target.origin + target.path.replace('LEVEL', String(level)),
    init: { method, headers, ...(body === '' ? {} : { body }) },
  }
}

/** The text of a request of HTTP/1.1 at a level. */
export function requestOf({ origin, method, path, body, headers }: Target) {
  const lines = Object.entries({ host: new URL(origin).host, ...headers })
  const fixed = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return (level: number): string => {
    const filled = (text: string) => text.replace('LEVEL', String(level))
    const sent = filled(body)
    const length = sent === '' ? '' : `content-length: ${Buffer.byteLength(sent)}\r\n`
    return `${method} ${filled(path)} HTTP/1.1\r\n${fixed}${length}\r\n${sent}`
  }
}

/**
 * The n-th level of a row in which none comes twice before 980,000: so that nothing that was
 * answered before can be answered again from memory.
 */
export function levelAt(n: number): number {
  // One division of whole numbers: a sum of fractions would have more digits than a level may.
  return (10_000 + ((n * levelStride) % levelCount)) / 10_000
}

let taken = 0

/**
 * Levels for so many requests that nobody was asked before in this run, or, once all 980,000 have
 * been, longest ago: what is asked a second time is answered, or kept, in another way. Returns the
 * first one's place in the row.
 */
export function takeLevels(count: number): number {
  const first = taken
  taken += count
  return first % levelCount
}

export const levelCount = 980_000
/** A prime that does not divide the count: the steps visit every level. */
export const levelStride = 514_229
