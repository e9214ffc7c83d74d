import type { Upstream } from '../../../broker/src/routing/upstream.ts'
import type { Network } from '../world/network.ts'
import type { Process, World } from '../world/world.ts'
import type { Request, Response, Server } from './http.ts'

export type Listening = { readonly process: Process; readonly server: Server }

export type UpstreamParts = {
  readonly world: World
  readonly network: Network
  readonly process: Process
  /** Who answers at an origin at present. */
  readonly at: (origin: string) => Listening | undefined
  /** The place at an origin, whether anybody is there or not. */
  readonly placeOf: (origin: string) => string
}

type Reply = Awaited<ReturnType<Upstream['call']>['reply']>

/** Requests from a broker to nodes over the simulated network. */
export function createUpstream(parts: UpstreamParts): Upstream {
  const { world, process } = parts
  return {
    call: (peer, call) => {
      let settle: (reply: Reply) => void = () => {}
      const reply = new Promise<Reply>((resolve) => {
        settle = resolve
      })
      const late = world.after(call.timeoutMs, process, () => settle({ kind: 'late' }))
      const end = (outcome: Reply) => {
        late.cancelled = true
        settle(outcome)
      }
      const headers: Record<string, string> = {}
      for (let i = 0; i < call.headers.length; i += 2)
        headers[call.headers[i]!] = call.headers[i + 1]!
      const { method, path, body = null } = call
      send(parts, peer.origin, { method, path, headers, body }, end)
      return { reply, cancel: () => end({ kind: 'cancelled' }) }
    },
    keepOnly: () => {},
    close: async () => {},
  }
}

function send(
  { world, network, process, at, placeOf }: UpstreamParts,
  origin: string,
  request: Request,
  end: (reply: Reply) => void,
): void {
  const place = placeOf(origin)
  if (process.state === 'dead' || network.isCut(process.name, place)) return
  const back = (reply: Reply) => {
    if (network.isCut(place, process.name)) return
    const isLost = network.loses(place, process.name)
    world.after(network.delayMs(place, process.name), process, () =>
      end(isLost ? { kind: 'lost', why: 'connection reset' } : reply),
    )
  }
  if (network.loses(process.name, place)) {
    back({ kind: 'lost', why: 'connection reset' })
    return
  }
  world.after(network.delayMs(process.name, place), undefined, () => {
    const listening = at(origin)
    if (!listening?.server.isListening || listening.process.state === 'dead')
      return back({ kind: 'unreached', why: 'ECONNREFUSED' })
    // A paused process takes connections and says nothing.
    world.after(0, listening.process, () => {
      const isHere = () => listening.process.state !== 'dead'
      listening.server.handle(request).then((response) => {
        if (isHere()) back(replyOf(response))
      })
    })
  })
}

function replyOf({ status, headers, body }: Response): Reply {
  return { kind: 'reply', status, headers, body }
}
