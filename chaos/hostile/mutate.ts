import type { Chance } from './chance.ts'
import { hostileTexts, hostileWireText } from './hostile-values.ts'
import { mutateBody } from './mutate-body.ts'
import type { Framing, HostileRequest, Pair } from './request.ts'

type Mutation = (request: HostileRequest, chance: Chance) => HostileRequest

/** Spoils a request in one place. */
export function mutate(request: HostileRequest, chance: Chance): HostileRequest {
  const hasBody = request.body !== undefined
  const draw = chance.below(hasBody ? 18 : 10)
  if (draw < 2) return mutatePath(request, chance)
  if (draw < 7) return mutateQuery(request, chance)
  if (draw < 9) return mutateHeaders(request, chance)
  if (draw < 10) return chance.pick([mutateMethod, mutateFraming, addBody])(request, chance)
  return { ...request, body: mutateBody(request.body!, chance) }
}

const mutatePath: Mutation = (request, chance) => {
  const segments = request.path.split('/')
  const at = 1 + chance.below(segments.length - 1)
  const last = segments.length - 1
  switch (chance.below(8)) {
    case 0:
      segments.splice(at, 0, hostileWireText(chance))
      break
    case 1:
      segments.splice(at, 1)
      break
    case 2:
      segments[at] = (segments[at] ?? '').toUpperCase()
      break
    case 3:
      segments.push(chance.pick(['', '.', '..', '*']))
      break
    // What varies in a path is mostly at its end.
    case 4:
    case 5:
      segments[last] = hostileWireText(chance)
      break
    default:
      segments[at] = hostileWireText(chance)
  }
  return { ...request, path: `/${segments.slice(1).join('/')}` }
}

const mutateQuery: Mutation = (request, chance) => {
  const query = [...request.query]
  const names = ['level', 'timestamps', 'version', 'at_least', 'limit', 'cursor']
  const name = query.length > 0 && chance.flip(0.6) ? chance.pick(query)[0] : chance.pick(names)
  switch (chance.below(5)) {
    case 0:
      query.push([name, hostileWireText(chance)], [name, hostileWireText(chance)])
      break
    case 1:
      query.push([hostileWireText(chance), hostileWireText(chance)])
      break
    case 2:
      query.push([`${name}[${chance.pick(['', '0', '__proto__'])}]`, '1'])
      break
    case 3:
      for (let i = 0; i < 200; i++) query.push([`p${i}`, '1'])
      break
    default: {
      const others = query.filter(([other]) => other !== name)
      return { ...request, query: [...others, [name, hostileWireText(chance)]] }
    }
  }
  return { ...request, query }
}

const mutateHeaders: Mutation = (request, chance) => {
  const added: readonly Pair[] = chance.flip(0.3)
    ? [[chance.pick(headerNames), headerText(chance.pick(hostileTexts))]]
    : [chance.pick(oddHeaders)]
  const names = added.map(([name]) => name.toLowerCase())
  const isReplaced = chance.flip(0.7)
  const kept = request.headers.filter(
    ([name]) => !isReplaced || !names.includes(name.toLowerCase()),
  )
  if (chance.flip(0.03)) return { ...request, headers: [...kept, ...manyHeaders(chance)] }
  return { ...request, headers: [...kept, ...added] }
}

/** Line breaks and NUL would make it another request; one hostile request at a time. */
const headerText = (text: string) => text.replace(/[\r\n\0\ud800]/g, '')

const manyHeaders = (chance: Chance): Pair[] =>
  chance.flip(0.5)
    ? Array.from({ length: chance.pick([99, 300, 1_900]) }, (_, i): Pair => [`x-${i}`, ''])
    : [['x-large', 'a'.repeat(chance.pick([7_000, 15_000, 20_000]))]]

const headerNames = [
  'Accept',
  'Content-Type',
  'Content-Encoding',
  'Prefer',
  'If-None-Match',
  'Idempotency-Key',
  'X-Request-Id',
  'Host',
  'Origin',
  'Authorization',
  'Cookie',
  '__proto__',
  'constructor',
]

const oddHeaders: readonly Pair[] = [
  ['Accept', 'text/html'],
  ['Accept', 'application/json;q=0'],
  ['Accept', ','.repeat(2_000)],
  ['Accept', 'application/json;'.repeat(200)],
  ['Content-Type', 'text/csv'],
  ['Content-Type', 'text/plain'],
  ['Content-Type', 'application/x-www-form-urlencoded'],
  ['Content-Type', 'multipart/form-data; boundary=x'],
  ['Content-Type', 'application/json; charset=utf-16'],
  ['Content-Type', 'application/json; charset="'],
  ['Content-Type', 'application/json;;;'],
  ['Content-Type', 'application/jsonx'],
  ['Content-Type', 'APPLICATION/JSON'],
  ['Content-Type', 'application/json, text/plain'],
  ['Content-Type', '/'],
  ['Content-Encoding', 'gzip'],
  ['Content-Encoding', 'identity'],
  ['Expect', '100-continue'],
  ['Expect', 'a-miracle'],
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Connection', 'close'],
  ['Connection', 'keep-alive, close, x-request-id'],
  ['TE', 'trailers, deflate;q=0.5'],
  ['Trailer', 'x-after'],
  ['Range', 'bytes=0-1,1-2,2-3'],
  ['If-None-Match', '*'],
  ['If-None-Match', '"a",'.repeat(500)],
  ['If-Match', '"none"'],
  ['If-Modified-Since', 'never'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-Forwarded-For', '256.256.256.256'],
  ['X-Forwarded-Host', 'evil.example'],
  ['Forwarded', 'for=unknown;host=evil.example'],
  ['Host', 'evil.example'],
  ['Host', '127.0.0.1.evil.example'],
  ['Host', 'localhost:99999999'],
  ['Origin', 'null'],
  ['Origin', 'http://evil.example'],
  ['Prefer', 'wait=-1'],
  ['Prefer', 'wait=1, wait=2, respond-async, respond-async'],
  ['Prefer', 'x=y, respond-async; foo="bar'],
  ['Idempotency-Key', 'k'.repeat(256)],
  ['Idempotency-Key', '\u00ff'],
  ['X-Request-Id', 'x'.repeat(101)],
  ['X-Request-Id', '{"a":1}'],
]

const mutateMethod: Mutation = (request, chance) => ({ ...request, method: chance.pick(methods) })

const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'SEARCH',
  'QUERY',
  'PURGE',
  'FROBNICATE',
  'get',
  '',
]

const mutateFraming: Mutation = (request, chance) => ({
  ...request,
  body: request.body ?? Buffer.from('{}'),
  framing: chance.pick(framings),
})

const framings: readonly Framing[] = [
  'length-too-long',
  'length-too-short',
  'two-lengths',
  'length-and-chunked',
  'bad-chunk-size',
  'no-last-chunk',
]

/** A body where none belongs. */
const addBody: Mutation = (request, chance) => ({
  ...request,
  headers: chance.flip(0.5)
    ? [...request.headers, ['Content-Type', 'application/json']]
    : request.headers,
  body: request.body ?? Buffer.from(chance.pick(['', '{}', '{', 'x'.repeat(10_000)])),
})
