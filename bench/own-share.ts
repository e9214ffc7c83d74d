import {
  createRegistry,
  createRequestTimes,
  limits,
  systemClock,
  systemRandom,
} from '@almanac/shared'
import { questionOf } from '../broker/src/api/forecasts.ts'
import { createHotPath } from '../broker/src/api/hot-path.ts'
import { createForecaster } from '../broker/src/routing/forecaster.ts'
import { createPeer } from '../broker/src/routing/peer.ts'
import { createResponseCache } from '../broker/src/routing/response-cache.ts'
import { createRetryBudget } from '../broker/src/routing/retry-budget.ts'
import { createBrokerMetrics } from '../broker/src/server/metrics.ts'

/**
 * CPU time of what the broker itself does for a familiar forecast, kept and forwarded: all but
 * Node's HTTP and the client library, which are stood in for by nothing. Steady on a busy machine.
 */
const requests = 300_000
const warmUp = 100_000

for (const [name, responseCacheBytes] of [
  ['kept', limits.responseCacheBytes],
  ['forwarded', 0],
] as const)
  process.stdout.write(`${name}: ${(await microsOf(responseCacheBytes)).toFixed(2)} µs a request\n`)

async function microsOf(responseCacheBytes: number): Promise<number> {
  const bounds = { ...limits, responseCacheBytes }
  const registry = createRegistry('broker')
  const metrics = createBrokerMetrics(registry)
  const peer = createPeer({ ip: '127.0.0.1', port: 1, instance: 'i' })
  const holders = { confirmed: [peer], unconfirmed: [] }
  const routes = { record: { serving: 1 }, modRevision: 1, holders: new Map([[1, holders]]) }
  const table = { models: new Map([['default/default', routes]]), serving: holders }
  const headers = { 'x-model-version': '1', 'content-type': 'application/json' }
  const reply = { kind: 'reply', status: 200, headers, body: Buffer.alloc(9_000) }
  const forecaster = createForecaster({
    router: { table: () => table, isDenied: () => false },
    upstream: { call: () => ({ reply: Promise.resolve(reply), cancel: () => {} }) },
    budget: createRetryBudget(bounds, systemClock),
    bounds,
    clock: systemClock,
    random: systemRandom,
    clusterId: () => 'c',
    token: null,
    observe: (_peer: unknown, _reply: unknown, seconds: number) => metrics.upstream('2xx', seconds),
    cache: createResponseCache(responseCacheBytes),
  } as never)
  const state = { isDraining: () => false, isReady: () => true }
  const hotPath = createHotPath(
    { ...state, forecaster, metrics, bounds } as never,
    createRequestTimes(registry),
  )
  const head = { headers: { host: 'localhost' }, rawHeaders: [], httpVersion: '1.1' }
  const request = { method: 'GET', url: '/api/forecast/500', ...head }
  const ask = { tenant: 'default', model: 'default', horizon: 500, query: '' }
  const question = questionOf({ ...ask, version: 'serving', atLeast: null }, '/forecast')
  hotPath.learn(request as never, question)
  const one = () =>
    new Promise<void>((done) => {
      const nothing = { writeHead: () => {}, once: () => {}, off: () => {} }
      hotPath.first(request as never, { ...nothing, writableLength: 0, end: done } as never)
    })
  for (let i = 0; i < warmUp; i++) await one()
  const before = process.cpuUsage()
  for (let i = 0; i < requests; i++) await one()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / requests
}
