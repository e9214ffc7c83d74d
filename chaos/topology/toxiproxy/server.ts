import type { ChildProcess } from 'node:child_process'
import { endChild, spawnServer, untilUp } from '../../../deploy/local/child.ts'

/** One way: who listens where on whose behalf. */
type ProxyPlan = {
  readonly name: string
  /** `host:port` */
  readonly listen: string
  readonly upstream: string
}

export type Toxic = {
  readonly name: string
  readonly type: 'latency' | 'bandwidth' | 'reset_peer'
  /** What the caller sends goes upstream. */
  readonly stream: 'upstream' | 'downstream'
  /** The share of connections that are hit. */
  readonly toxicity: number
  readonly attributes: Readonly<Record<string, number>>
}

/** One process of toxiproxy and the ways that it carries. */
export type Toxiproxy = {
  readonly pid: () => number | undefined
  readonly setEnabled: (proxy: string, isEnabled: boolean) => Promise<void>
  /** Adds the toxic, or changes the one of its name. */
  readonly set: (proxy: string, toxic: Toxic) => Promise<void>
  readonly remove: (proxy: string, toxic: string) => Promise<void>
  readonly close: () => Promise<void>
}

export type ToxiproxyOptions = {
  readonly name: string
  readonly binary: string
  readonly apiPort: number
  readonly proxies: readonly ProxyPlan[]
  /** There at the start on each way, so that they need only be changed, not put in. */
  readonly toxics: readonly Toxic[]
  readonly logFile: string
  readonly log: (line: string) => void
}

type ProxyState = { isEnabled: boolean; readonly toxics: Map<string, Toxic> }

const startTimeoutMs = 10_000
const stopTimeoutMs = 2_000
const callTimeoutMs = 2_000

/**
 * Starts the process; it listens on every way when this resolves. Taking a toxic out of a
 * connection whose other end has gone may lock toxiproxy up for ever (its issue 558): a process
 * that does not answer is replaced, all its connections are cut, and the state is as was asked.
 */
export async function startToxiproxy(options: ToxiproxyOptions): Promise<Toxiproxy> {
  const { name, apiPort, proxies, log } = options
  const states = new Map<string, ProxyState>(
    proxies.map((proxy) => [
      proxy.name,
      { isEnabled: true, toxics: new Map(options.toxics.map((toxic) => [toxic.name, toxic])) },
    ]),
  )
  const stateOf = (proxy: string) => states.get(proxy) as ProxyState
  const api = `http://127.0.0.1:${apiPort}`
  let child = await spawnAndFill()
  let turn: Promise<void> = Promise.resolve()

  async function spawnAndFill(): Promise<ChildProcess> {
    const spawned = await startServer(options, api)
    await send(api, 'POST', '/populate', proxies)
    for (const [proxy, { isEnabled, toxics }] of states) {
      for (const toxic of toxics.values())
        await send(api, 'POST', `/proxies/${proxy}/toxics`, toxic)
      if (!isEnabled) await send(api, 'POST', `/proxies/${proxy}`, { enabled: false })
    }
    return spawned
  }

  /** One at a time; each changes the state first, so that a new process knows of it. */
  function inTurn(call: () => Promise<void>): Promise<void> {
    const next = async () => {
      try {
        await call()
      } catch (error) {
        if (error instanceof Refusal) throw error
        log(`toxiproxy of ${name} is replaced: ${(error as Error).message}`)
        await endChild(child, 'SIGKILL', stopTimeoutMs)
        child = await spawnAndFill()
      }
    }
    const done = turn.then(next)
    turn = done.catch(() => {})
    return done
  }

  return {
    pid: () => child.pid,
    setEnabled: (proxy, isEnabled) => {
      stateOf(proxy).isEnabled = isEnabled
      return inTurn(() => send(api, 'POST', `/proxies/${proxy}`, { enabled: isEnabled }))
    },
    set: (proxy, toxic) => {
      const { toxics } = stateOf(proxy)
      const isThere = toxics.has(toxic.name)
      toxics.set(toxic.name, toxic)
      const path = `/proxies/${proxy}/toxics${isThere ? `/${toxic.name}` : ''}`
      return inTurn(() => send(api, 'POST', path, toxic))
    },
    remove: (proxy, toxic) => {
      if (!stateOf(proxy).toxics.delete(toxic)) return Promise.resolve()
      return inTurn(() => send(api, 'DELETE', `/proxies/${proxy}/toxics/${toxic}`))
    },
    close: async () => {
      await turn
      await endChild(child, 'SIGKILL', stopTimeoutMs)
    },
  }
}

/** It is well, and what we asked for is wrong. */
class Refusal extends Error {}

async function startServer(options: ToxiproxyOptions, api: string): Promise<ChildProcess> {
  const { name, binary, apiPort, logFile } = options
  const env = { ...process.env, LOG_LEVEL: 'warn' }
  const args = ['-host', '127.0.0.1', '-port', String(apiPort)]
  const child = await spawnServer(binary, args, { env, logFile })
  const isUp = () => send(api, 'GET', '/version').then(isTrue, isFalse)
  const timeoutMs = startTimeoutMs
  await untilUp(child, { name: `toxiproxy of ${name}`, logFile, isUp, timeoutMs, everyMs: 20 })
  return child
}

const isTrue = () => true
const isFalse = () => false

async function send(api: string, method: string, path: string, body?: unknown): Promise<void> {
  const response = await fetch(api + path, {
    method,
    headers: { 'user-agent': 'almanac', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(callTimeoutMs),
  })
  const text = await response.text()
  if (!response.ok) throw new Refusal(`${method} ${path}: ${response.status} ${text.slice(0, 200)}`)
}
