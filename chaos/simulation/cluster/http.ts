import { type createServer, problemOf, Refused } from '@almanac/shared'

export type Request = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

export type Response = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

type Handler = (request: unknown, reply: Reply) => unknown
type Hook = (request: unknown, reply: Reply) => unknown

type Route = {
  readonly method: string
  readonly pattern: RegExp
  readonly names: readonly string[]
  readonly hooks: readonly Hook[]
  readonly handler: Handler
}

/** Collects what a handler says about its answer. */
class Reply {
  status = 200
  readonly headers: Record<string, string> = {}
  body: unknown = undefined

  header(name: string, value: string): this {
    this.headers[name] = value
    return this
  }
  code(status: number): this {
    this.status = status
    return this
  }
  type(value: string): this {
    return this.header('content-type', value)
  }
  send(body: unknown): this {
    this.body = body
    return this
  }
}

/** Routes as the node declares them, under a prefix and behind hooks. */
class Scope {
  readonly #routes: Route[]
  readonly #prefix: string
  readonly #hooks: Hook[]

  constructor(routes: Route[], prefix: string, hooks: readonly Hook[]) {
    this.#routes = routes
    this.#prefix = prefix
    this.#hooks = [...hooks]
  }

  addHook(when: string, hook: Hook): void {
    if (when === 'onRequest') this.#hooks.push(hook)
  }

  register(work: (scope: Scope) => unknown, options: { prefix?: string } = {}): void {
    void work(new Scope(this.#routes, this.#prefix + (options.prefix ?? ''), this.#hooks))
  }

  get(path: string, ...rest: unknown[]): void {
    this.#add('GET', path, rest.at(-1) as Handler)
  }

  post(path: string, ...rest: unknown[]): void {
    this.#add('POST', path, rest.at(-1) as Handler)
  }

  #add(method: string, path: string, handler: Handler): void {
    const names: string[] = []
    const pattern = (this.#prefix + path).replaceAll(/:(\w+)/g, (_whole, name: string) => {
      names.push(name)
      return '([^/]+)'
    })
    const hooks = this.#hooks
    this.#routes.push({ method, pattern: new RegExp(`^${pattern}$`), names, hooks, handler })
  }
}

/** Stands for the HTTP server of a node: the node's own guards and routes without sockets. */
export class Server extends Scope {
  readonly #all: Route[]
  isListening = false
  #port = 0
  /** As Node's server, where the node asks it for its address. */
  readonly server = {
    address: () => ({ address: '10.0.0.1', port: this.#port, family: 'IPv4' }),
    closeAllConnections: () => {},
  }

  constructor() {
    const routes: Route[] = []
    super(routes, '', [])
    this.#all = routes
  }

  async listen({ port }: { port: number }): Promise<void> {
    this.#port = port
    this.isListening = true
  }

  async close(): Promise<void> {
    this.isListening = false
  }

  async handle({ method, path, headers, body }: Request): Promise<Response> {
    const [route = '', queryText = ''] = path.split('?', 2)
    const reply = new Reply()
    for (const known of this.#all) {
      const match = known.method === method ? known.pattern.exec(route) : null
      if (!match) continue
      const params = Object.fromEntries(known.names.map((name, i) => [name, match[i + 1]]))
      const query = queryText === '' ? {} : Object.fromEntries(new URLSearchParams(queryText))
      const parsed = body === null ? undefined : JSON.parse(body)
      const request = { method, headers, params, query, body: parsed, id: headers['x-request-id'] }
      try {
        for (const hook of known.hooks) await hook(request, reply)
        const result = await known.handler(request, reply)
        return responseOf(reply, result === reply ? reply.body : result)
      } catch (error) {
        return responseOfError(error)
      }
    }
    return { status: 404, headers: {}, body: Buffer.alloc(0) }
  }
}

/** For where the node expects the function that makes its server. */
export function serverMaker(onMade: (server: Server) => void): typeof createServer {
  const make = () => {
    const server = new Server()
    onMade(server)
    return server
  }
  return make as unknown as typeof createServer
}

function responseOf({ status, headers }: Reply, body: unknown): Response {
  if (Buffer.isBuffer(body)) return { status, headers, body }
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? null)
  return { status, headers, body: Buffer.from(text) }
}

function responseOfError(error: unknown): Response {
  if (!(error instanceof Refused)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { status: 500, headers: {}, body: Buffer.from(text) }
  }
  const headers = { 'content-type': 'application/problem+json' }
  const body = Buffer.from(JSON.stringify(problemOf(error, '')))
  return { status: error.status, headers, body }
}
