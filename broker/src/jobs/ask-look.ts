import {
  type ClusterState,
  codec,
  type LookOrder,
  looksPath,
  Problem,
  Refused,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { createPeer, type Peer } from '../routing/peer.ts'
import type { Reply, Upstream } from '../routing/upstream.ts'
import { byLoad } from './dispatch.ts'

/**
 * Has a node look at a file, and gives what it says as it says it. Throws `Refused` where it says
 * that there is no table, or where no node does.
 */
export type AskLook = (order: LookOrder, requestId: string, signal: AbortSignal) => Promise<Buffer>

export type AskLookParts = {
  readonly state: () => ClusterState
  readonly upstream: Upstream
  readonly headersFor: (peer: Peer, requestId: string) => string[]
  readonly bounds: Bounds
}

/** Asks nodes that fit, the least busy first, until one has looked. */
export function createAskLook({ state, upstream, headersFor, bounds }: AskLookParts): AskLook {
  const ask = async (peer: Peer, body: string, requestId: string, signal: AbortSignal) => {
    const headers = [...headersFor(peer, requestId), 'content-type', 'application/json']
    // Longer than a node takes to say by itself that it takes too long.
    const timeoutMs = bounds.lookMs + bounds.tryTimeoutMs
    const call = { method: 'POST', path: looksPath, headers, body, timeoutMs } as const
    const under = upstream.call(peer, call)
    signal.addEventListener('abort', under.cancel, { once: true })
    const reply = await under.reply
    signal.removeEventListener('abort', under.cancel)
    signal.throwIfAborted()
    return reply
  }
  return async (order, requestId, signal) => {
    const body = JSON.stringify(order)
    let refusal: Refused | undefined
    for (const node of byLoad(state(), new Map(), undefined).slice(0, bounds.triesMax)) {
      const reply = await ask(createPeer(node), body, requestId, signal)
      if (reply.kind === 'late') throw nobody('The node that was asked did not answer in time.')
      if (reply.kind === 'reply' && reply.status === 200) return reply.body
      refusal = refusalOf(reply) ?? refusal
      if (refusal && isFinal(refusal)) throw refusal
    }
    throw refusal ?? nobody('No node that fits can look at it at present.')
  }
}

const problems = codec(Problem)

/** What a node said, in its own words; undefined where it said nothing that can be told. */
function refusalOf(reply: Reply): Refused | undefined {
  if (reply.kind !== 'reply') return undefined
  const problem = problems.decode(reply.body.toString('utf8'))
  if (!problem.ok) return undefined
  const { type, detail, field, remedy, status } = problem.value
  const code = type.slice(type.lastIndexOf(':') + 1)
  // Whose release has no looks yet, and who is not the one that was meant.
  if (code === 'no-such-route' || status === 421) return undefined
  const isBusy = status === 503 || status === 429
  return new Refused(isBusy ? 503 : status, code, detail, {
    ...(field === undefined ? {} : { field }),
    ...(remedy === undefined ? {} : { remedy }),
    ...(isBusy ? { retryAfterSeconds: 1 } : {}),
  })
}

/** What every node would say. */
function isFinal({ status, code }: Refused): boolean {
  return status === 422 || code === 'no-such-file'
}

const nobody = (detail: string) => new Refused(503, 'no-node', detail, { retryAfterSeconds: 1 })
