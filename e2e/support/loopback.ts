import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, type BrokerOptions, startBroker } from '@almanac/broker'
import { type NodeOptions, type RunningNode, startNode } from '@almanac/model-api'
import {
  type Coordinator,
  createLogger,
  openEmbeddedCoordinator,
  openSqliteStore,
  type Store,
} from '@almanac/shared'
import { onTestFinished } from 'vitest'

/** A broker and nodes of this process that speak HTTP to each other; gone after the test. */
export type Loopback = {
  readonly coordinator: Coordinator
  readonly store: Store
  readonly node: (options?: Partial<NodeOptions>) => Promise<RunningNode>
  readonly broker: (options?: Partial<BrokerOptions>) => Promise<Broker>
}

const logger = createLogger({ process: 'test', level: 'silent' })

export async function openLoopback(): Promise<Loopback> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-loopback-'))
  const coordinator = await openEmbeddedCoordinator({ path: ':memory:' })
  const store = await openSqliteStore({ path: join(folder, 'store.sqlite') })
  // What was opened last is closed first.
  const closers = [() => rm(folder, { recursive: true }), () => store.close()]
  closers.push(() => coordinator.close())
  onTestFinished(async () => {
    for (const close of closers.reverse()) await close()
  })
  const base = { coordinator, store, host: '127.0.0.1', port: 0, logger, token: null }
  return {
    coordinator,
    store,
    node: async (options = {}) => {
      const node = await startNode({
        ...{ ...base, advertiseIp: '127.0.0.1', roles: ['serve'], fitWorkers: 1 },
        ...options,
        timing: { reconcileMs: 500, drainAnswerMs: 100, ...options.timing },
      })
      closers.push(() => node.close())
      await untilReady(node.url)
      return node
    },
    broker: async (options = {}) => {
      const broker = await startBroker({ ...base, ...options })
      closers.push(() => broker.close())
      await untilReady(broker.url)
      return broker
    },
  }
}

/** The nodes that have a model loaded, as the broker sees it. */
export async function untilLoaded(broker: Broker, model: string, nodes: number): Promise<void> {
  await until(async () => {
    const response = await fetch(`${broker.url}/api/models/${model}`)
    if (response.status !== 200) return false
    const view = (await response.json()) as { nodes: { loaded: number[] }[] }
    return view.nodes.filter(({ loaded }) => loaded.length > 0).length === nodes
  })
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error('the condition did not come to hold')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const untilReady = (url: string) => until(async () => (await fetch(`${url}/readyz`)).status === 200)
