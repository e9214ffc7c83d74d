import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  // Tests look into bodies of every shape; what is missing shows as undefined and fails them.
  readonly body: Loose
}

export type Loose = { readonly [key: string]: Loose } & { readonly [index: number]: Loose } & Scalar
type Scalar = { readonly length: number; valueOf(): unknown }

/** One call with a deadline. The body is parsed when it is JSON. */
export async function call(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  options: { body?: unknown; headers?: Record<string, string>; timeoutMs?: number } = {},
): Promise<Answer> {
  const { body, headers = {}, timeoutMs = 90_000 } = options
  const response = await request(url, {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  })
  const text = await response.body.text()
  return { status: response.statusCode, headers: response.headers, text, body: parsed(text) }
}

/** Asks until the condition holds, or fails with what it last saw. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T>,
  holds: (value: T) => boolean,
  withinMs = 15_000,
): Promise<T> {
  const deadline = performance.now() + withinMs
  let last: unknown
  while (performance.now() < deadline) {
    try {
      const value = await look()
      if (holds(value)) return value
      last = value
    } catch (error) {
      last = error
    }
    await delay(50)
  }
  const seen = last instanceof Error ? last.message : JSON.stringify(last)
  throw new Error(`${what}: not within ${withinMs} ms; last seen: ${seen?.slice(0, 500)}`)
}

function parsed(text: string): Loose {
  try {
    return JSON.parse(text) as Loose
  } catch {
    return {} as Loose
  }
}
