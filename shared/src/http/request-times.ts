import { latencyBuckets, type Registry } from '../telemetry/metrics.ts'
import { createTimes } from '../telemetry/times.ts'

/** Times of requests, from their arrival to the end of their answers, by what they were. */
export type RequestTimes = (
  method: string,
  route: string,
  status: number,
) => (seconds: number) => void

export function createRequestTimes(registry: Registry): RequestTimes {
  const times = createTimes(registry, {
    name: 'almanac_http_request_seconds',
    help: 'Time from the request to the end of its answer.',
    buckets: latencyBuckets,
  })
  const observers = new Map<string, (seconds: number) => void>()
  return (method, route, status) => {
    const name = `${method} ${route} ${status}`
    const known = observers.get(name)
    if (known) return known
    const observer = times({ method, route, status: String(status) })
    observers.set(name, observer)
    return observer
  }
}
