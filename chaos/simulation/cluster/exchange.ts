import type { Exchange } from '../../../broker/src/api/exchange.ts'

export type Sent = {
  readonly status: number
  readonly version: number | null
  readonly body: string
}

/** The client's side of a request below the framework: what is sent, and a way to leave. */
export function createExchange(onSent: (sent: Sent) => void): {
  readonly exchange: Exchange
  readonly leave: () => void
} {
  const listeners = new Set<() => void>()
  let status = 0
  let version: number | null = null
  const response = {
    destroyed: false,
    writableLength: 0,
    writeHead: (code: number, list: readonly string[]) => {
      status = code
      const at = list.indexOf('x-model-version')
      version = at < 0 ? null : Number(list[at + 1])
    },
    end: (body: Buffer | undefined) => onSent({ status, version, body: body?.toString() ?? '' }),
    on: (_event: string, listener: () => void) => listeners.add(listener),
    once: (_event: string, listener: () => void) => listeners.add(listener),
    off: (_event: string, listener: () => void) => listeners.delete(listener),
  }
  const request = { method: 'GET', url: '/', headers: {} }
  const exchange = { request, response, id: 'request', onEnd: undefined }
  return {
    exchange: exchange as unknown as Exchange,
    leave: () => {
      response.destroyed = true
      for (const listener of [...listeners]) listener()
    },
  }
}
