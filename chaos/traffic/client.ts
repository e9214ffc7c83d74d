import { Pool } from 'undici'
import type { Asked, Entry, Outcome } from '../history/entry.ts'
import type { Recorder } from '../history/recorder.ts'
import { fitBodyOf } from './data.ts'
import { digestOf, pointsDigestOf } from './digest.ts'

export type BrokerAddress = { readonly name: string; readonly url: string }

/**
 * A user's program: an ordinary HTTP client with connections that are kept alive, and no retries.
 * It stays with its broker as long as that one is well, and goes to the next when it cannot reach
 * it or is told that the connection ends; after a while it looks whether it can come back.
 */
export type Client = {
  readonly name: string
  /** The broker that the next request goes to. */
  readonly broker: () => BrokerAddress
  /** Sends one request and records it; never rejects. */
  readonly send: (asked: Asked) => Promise<Entry>
  readonly close: () => Promise<void>
}

export type ClientOptions = {
  readonly name: string
  readonly brokers: readonly BrokerAddress[]
  /** Its place in `brokers`. */
  readonly home: number
  readonly recorder: Recorder
}

/**
 * More than wait at once when every answer takes as long as a broker may wait for a node: what
 * queues up here would seem to be the broker's delay.
 */
const connections = 128
/** A broker answers within 10 s, if only to say that it cannot. */
const forecastPatienceMs = 15_000
/** A fit is answered after 60 s at the latest. */
const changePatienceMs = 90_000
/** A client that went elsewhere looks this often whether its own broker is well again. */
const lookHomeEveryMs = 1_000

export function createClient(options: ClientOptions): Client {
  const { name, brokers, home, recorder } = options
  const pools = brokers.map(({ url }) => new Pool(url, { connections, pipelining: 1 }))
  let at = home
  let lookedMs = 0
  const leave = (from: number) => {
    if (at !== from) return
    at = (from + 1) % brokers.length
    lookedMs = performance.now()
  }
  const lookHome = async () => {
    if (at === home || performance.now() - lookedMs < lookHomeEveryMs) return
    lookedMs = performance.now()
    if (await isReady(pools[home]!)) at = home
  }
  return {
    name,
    broker: () => brokers[at]!,
    send: async (asked) => {
      const from = at
      const begun = recorder.begin({ client: name, broker: brokers[from]!.name, asked })
      void lookHome()
      const { outcome, isLast } = await exchange(pools[from]!, asked)
      if (isLast || outcome.kind !== 'answered') leave(from)
      return begun.end(outcome)
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.destroy()))
    },
  }
}

async function isReady(pool: Pool): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(1_000)
    const { statusCode, body } = await pool.request({ method: 'GET', path: '/readyz', signal })
    await body.dump()
    return statusCode === 200
  } catch {
    return false
  }
}

type Exchange = {
  readonly outcome: Outcome
  /** The broker said that it closes the connection: it is about to go. */
  readonly isLast: boolean
}

async function exchange(pool: Pool, asked: Asked): Promise<Exchange> {
  const { patienceMs, ...request } = requestOf(asked)
  try {
    const signal = AbortSignal.timeout(patienceMs)
    const { statusCode, headers, body } = await pool.request({ ...request, signal })
    const text = await body.text()
    return {
      outcome: outcomeOf(asked, statusCode, headers, text),
      isLast: headers.connection === 'close',
    }
  } catch (error) {
    const { code = '', name, message } = error as Error & { code?: string }
    const kind = unreachedCodes.has(code) ? 'unreached' : 'unknown'
    return { outcome: { kind, why: `${code || name}: ${message}` }, isLast: true }
  }
}

/** Nobody has got the request. */
const unreachedCodes = new Set(['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT'])

function requestOf(asked: Asked) {
  const path = `/api/models/${asked.model}`
  switch (asked.kind) {
    case 'forecast': {
      const { horizon, level, version, atLeast } = asked
      const query = [
        ...(level === '' ? [] : [`level=${level}`]),
        ...(version === null ? [] : [`version=${version}`]),
        ...(atLeast === null ? [] : [`at_least=${atLeast}`]),
      ].join('&')
      return {
        method: 'GET' as const,
        path: `${path}/forecast/${horizon}${query === '' ? '' : `?${query}`}`,
        patienceMs: forecastPatienceMs,
      }
    }
    case 'fit': {
      const { key, respondAsync, data } = asked
      const headers: Record<string, string> = { 'content-type': 'application/json' }
      if (key !== null) headers['idempotency-key'] = key
      if (respondAsync) headers.prefer = 'respond-async'
      const body = JSON.stringify(fitBodyOf(data))
      const method = 'POST' as const
      return { method, path: `${path}/fit`, headers, body, patienceMs: changePatienceMs }
    }
    case 'rollback':
      return {
        method: 'POST' as const,
        path: `${path}/rollback`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ version: asked.version }),
        patienceMs: changePatienceMs,
      }
    case 'release':
      return {
        method: 'DELETE' as const,
        path: `${path}/hold`,
        patienceMs: changePatienceMs,
      }
    case 'look':
      return { method: 'GET' as const, path, patienceMs: forecastPatienceMs }
    case 'delete':
      return { method: 'DELETE' as const, path, patienceMs: changePatienceMs }
  }
}

function outcomeOf(
  asked: Asked,
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  text: string,
): Outcome {
  const isGood = asked.kind === 'forecast' && status === 200
  const body = isGood ? {} : looseBody(text)
  const named = Number(
    headers['x-model-version'] ?? body.version ?? body.lastVersion ?? body.serving,
  )
  return {
    kind: 'answered',
    status,
    version: Number.isSafeInteger(named) && named > 0 ? named : null,
    changes: typeof body.changes === 'number' ? body.changes : null,
    digest: digestOf(text),
    pointsDigest: isGood ? pointsDigestOf(text) : '',
    retryAfter: headers['retry-after'] !== undefined,
    job: typeof body.job === 'string' ? body.job : null,
    word: wordOf(body),
    detail: typeof body.detail === 'string' ? body.detail.slice(0, 300) : '',
  }
}

function wordOf({ state, type }: Loose): string {
  if (typeof state === 'string') return state
  return typeof type === 'string' ? type.replace('urn:almanac:problem:', '') : ''
}

/** Whatever came: it is recorded, not trusted. */
type Loose = { readonly [name: string]: unknown }

function looseBody(text: string): Loose {
  try {
    const read: unknown = JSON.parse(text)
    return typeof read === 'object' && read !== null ? (read as Loose) : {}
  } catch {
    return {}
  }
}
