import type { HostileRequest } from './request.ts'

/** Tries of one shrinking: each is a request, and some of them wait for their timeout. */
const triesMax = 80

/**
 * A smaller request that fails too, as `fails` tells. Greedy: what can be left out is left out,
 * until nothing more can.
 */
export async function shrink(
  request: HostileRequest,
  fails: (smaller: HostileRequest) => Promise<boolean>,
): Promise<HostileRequest> {
  let smallest = request
  let tries = 0
  for (;;) {
    let found: HostileRequest | undefined
    for (const smaller of smallerOnes(smallest)) {
      tries += 1
      if (tries > triesMax) return smallest
      if (!(await fails(smaller))) continue
      found = smaller
      break
    }
    if (found === undefined) return smallest
    smallest = found
  }
}

function* smallerOnes(request: HostileRequest): Generator<HostileRequest> {
  const { query, headers, body, path } = request
  if (body !== undefined) yield { ...request, body: undefined, framing: 'length' }
  if (request.framing !== 'length') yield { ...request, framing: 'length' }
  if (query.length > 1) yield { ...request, query: query.slice(0, query.length >> 1) }
  for (const at of query.slice(0, 20).keys()) yield { ...request, query: without(query, at) }
  if (headers.length > 8) yield { ...request, headers: headers.slice(0, headers.length >> 1) }
  for (const at of headers.slice(0, 20).keys()) yield { ...request, headers: without(headers, at) }
  const segments = path.split('/')
  for (const at of segments.keys())
    if (at > 0 && (segments[at]?.length ?? 0) > 40)
      yield { ...request, path: halved(segments, at).join('/') }
  if (body !== undefined && body.byteLength > 2) yield* smallerBodies(request, body)
}

function* smallerBodies(request: HostileRequest, body: Buffer): Generator<HostileRequest> {
  const half = body.byteLength >> 1
  yield { ...request, body: body.subarray(0, half) }
  yield { ...request, body: body.subarray(half) }
  const quarter = half >> 1
  if (quarter > 0)
    yield {
      ...request,
      body: Buffer.concat([body.subarray(0, quarter), body.subarray(half + quarter)]),
    }
}

function halved(segments: readonly string[], at: number): string[] {
  const half = (segments[at] ?? '').slice(0, (segments[at]?.length ?? 0) >> 1)
  return segments.map((segment, i) => (i === at ? half : segment))
}

function without<T>(items: readonly T[], at: number): T[] {
  return items.filter((_, i) => i !== at)
}
