import { latencyBuckets, type Registry } from '../telemetry/metrics.ts'
import { createTimes } from '../telemetry/times.ts'

/** Times of requests, from their arrival to the end of their answers, by what they were. */
export type RequestTimes = (method: string, route: string, status: number) => Observer

type Observer = (seconds: number) => void

export function createRequestTimes(registry: Registry): RequestTimes {
  const times = createTimes(registry, {
    name: 'almanac_http_request_seconds',
    help: 'Time from the request to the end of its answer.',
    buckets: latencyBuckets,
  })
  // Maps in maps: to put one name together would cost every request more than three looks.
  const observers = new Map<string, Map<string, Map<number, Observer>>>()
  return (method, route, status) => {
    const known = observers.get(method)?.get(route)?.get(status)
    if (known) return known
    const observer = times({ method, route, status: String(status) })
    const routes = observers.get(method) ?? new Map<string, Map<number, Observer>>()
    const statuses = routes.get(route) ?? new Map<number, Observer>()
    observers.set(method, routes.set(route, statuses.set(status, observer)))
    return observer
  }
}
