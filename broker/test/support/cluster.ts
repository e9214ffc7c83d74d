import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Coordinator,
  createLogger,
  openEmbeddedCoordinator,
  openSqliteStore,
  type Store,
} from '@almanac/shared'
import { request } from 'undici'
import { afterEach } from 'vitest'
import type { Bounds } from '../../src/config/bounds.ts'
import { type Broker, type BrokerOptions, startBroker } from '../../src/server/broker.ts'
import { type FakeNode, startFakeNode } from './fake-node.ts'

export type TestCluster = {
  readonly coordinator: Coordinator
  readonly store: Store
  readonly node: (options?: { roles?: ('fit' | 'serve')[]; port?: number }) => Promise<FakeNode>
  readonly broker: (
    bounds?: Partial<Bounds>,
    instead?: Partial<BrokerOptions>,
    host?: string,
  ) => Promise<Broker>
}

const toClose: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

/** A real coordinator and a real store, for one test; closed after it, newest first. */
export async function openCluster(): Promise<TestCluster> {
  const coordinator = await openEmbeddedCoordinator({ path: ':memory:' })
  toClose.push(() => coordinator.close())
  const folder = await mkdtemp(join(tmpdir(), 'broker-test-'))
  toClose.push(() => rm(folder, { recursive: true }))
  const store = await openSqliteStore({ path: join(folder, 'store.sqlite') })
  toClose.push(() => store.close())
  return {
    coordinator,
    store,
    node: async (options = {}) => {
      const node = await startFakeNode({ coordinator, ...options })
      toClose.push(() => node.close())
      return node
    },
    broker: async (bounds = {}, instead = {}, host = '127.0.0.1') => {
      const broker = await startBroker({
        coordinator,
        store,
        host,
        port: 0,
        logger: createLogger({ process: 'test', level: 'silent' }),
        token: null,
        bounds: { drainAnswerMs: 100, ...bounds },
        ...instead,
      })
      toClose.push(() => broker.close())
      await ready(broker)
      return broker
    },
  }
}

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

export async function call(
  broker: Pick<Broker, 'url'>,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  options: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Answer> {
  const { body, headers = {}, signal = AbortSignal.timeout(15_000) } = options
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const response = await request(`${broker.url}${path}`, {
    method,
    headers: text === undefined ? headers : { 'content-type': 'application/json', ...headers },
    body: text ?? null,
    signal,
  })
  const received = await response.body.text()
  return {
    status: response.statusCode,
    headers: response.headers,
    text: received,
    body: received.startsWith('{') ? JSON.parse(received) : {},
  }
}

export const get = (broker: Pick<Broker, 'url'>, path: string, headers?: Record<string, string>) =>
  call(broker, 'GET', path, headers ? { headers } : {})

/** A small series and a spec that it is long enough for. */
export const fitBody = {
  data: Array.from({ length: 60 }, (_, i) => 10 + (i % 7)),
  spec: { family: 'arima', p: 1, d: 0, q: 0, differenceLag: 0, constant: true },
}

export const fit = (
  broker: Pick<Broker, 'url'>,
  model: string,
  headers: Record<string, string> = {},
) => call(broker, 'POST', `/api/models/${model}/fit`, { body: fitBody, headers })

async function ready(broker: Broker): Promise<void> {
  const until = performance.now() + 5_000
  while ((await get(broker, '/readyz')).status !== 200)
    if (performance.now() > until) throw new Error('the broker does not become ready')
}
