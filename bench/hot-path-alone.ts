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

/** What the broker itself does for a familiar forecast, with nothing before or behind it. */
export function hotPathAlone(responseCacheBytes: number, body: Buffer) {
  const bounds = { ...limits, responseCacheBytes }
  const registry = createRegistry('broker')
  const metrics = createBrokerMetrics(registry)
  const peer = createPeer({ ip: '127.0.0.1', port: 1, instance: 'i' })
  const holders = { confirmed: [peer], unconfirmed: [] }
  const routes = { record: { serving: 1 }, modRevision: 1, holders: new Map([[1, holders]]) }
  const table = { models: new Map([['default/default', routes]]), serving: holders }
  const headers = { 'x-model-version': '1', 'content-type': 'application/json' }
  const reply = { kind: 'reply', status: 200, headers, body }
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
  const times = createRequestTimes(registry)
  const hotPath = createHotPath({ ...state, forecaster, metrics, bounds } as never, times)
  const ask = { tenant: 'default', model: 'default', horizon: 500, query: '' }
  const question = questionOf({ ...ask, version: 'serving', atLeast: null }, '/forecast')
  const learn = (headers: Readonly<Record<string, string>>) =>
    hotPath.learn({ method: 'GET', url: questionPath, headers } as never, question)
  return { first: hotPath.first, learn, registry, times }
}

export const questionPath = '/api/forecast/500'
