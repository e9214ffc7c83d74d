import { Histogram, latencyBuckets, type Registry } from '../telemetry/metrics.ts'

/** Times of requests, from their arrival to the end of their answers, by what they were. */
export type RequestTimes = (
  method: string,
  route: string,
  status: number,
) => (seconds: number) => void

export function createRequestTimes(registry: Registry): RequestTimes {
  const duration = new Histogram({
    name: 'almanac_http_request_seconds',
    help: 'Time from the request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: latencyBuckets,
    registers: [registry],
  })
  // Looking up a child of the histogram costs more than observing with it.
  const observers = new Map<string, (seconds: number) => void>()
  return (method, route, status) => {
    const name = `${method} ${route} ${status}`
    const known = observers.get(name)
    if (known) return known
    const child = duration.labels({ method, route, status: String(status) })
    const observer = (seconds: number) => child.observe(seconds)
    observers.set(name, observer)
    return observer
  }
}
