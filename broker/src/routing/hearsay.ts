import { codec, codecs, forecastPath, type ModelName, modelId, NotLoaded } from '@almanac/shared'
import { choosePeer } from './choose.ts'
import { openMax } from './load.ts'
import { internalHeaders, type TryParts } from './try-nodes.ts'

/** Asks a node for its view of a model; tells whether that was news. Never rejects. */
export type Hearsay = (of: ModelName, requestId: string) => Promise<boolean>

/** No model has it, so that every node answers with what it knows in place of a forecast. */
const nobodysVersion = 999_999_999_999_999
const notLoaded = codec(NotLoaded)
const rememberedMax = 10_000

/**
 * A broker that is cut off from the coordinator may not have heard that a version serves: the nodes
 * that have it know. One of them is asked, and for a moment no other, however many want to know.
 */
export function createHearsay(parts: TryParts): Hearsay {
  const { router, clock, random, bounds, upstream } = parts
  const asked = new Map<string, { readonly outcome: Promise<boolean>; readonly untilMs: number }>()

  const ask = async (of: ModelName, requestId: string): Promise<boolean> => {
    const nowMs = clock.monotonicMs()
    const peer = choosePeer(router.table().serving, {
      nowMs,
      random,
      openMax: ({ load }) => openMax(load, nowMs, bounds),
      isExcluded: () => false,
    })
    if (peer === undefined) return false
    peer.inFlight += 1
    const reply = await upstream.call(peer, {
      method: 'GET',
      path: forecastPath(of.tenant, of.model, nobodysVersion, 1, ''),
      headers: internalHeaders(parts, peer, requestId),
      timeoutMs: bounds.tryTimeoutMs,
    }).reply
    peer.inFlight -= 1
    if (reply.kind !== 'reply') return false
    const body = notLoaded.decode(reply.body.toString('utf8'))
    const record = body.ok && body.value.record ? codecs.model.decode(body.value.record) : undefined
    if (!body.ok || !record?.ok) return false
    return router.adopt(modelId(of), record.value, body.value.modRevision, peer)
  }
  return async (of, requestId) => {
    const id = modelId(of)
    const nowMs = clock.monotonicMs()
    const known = asked.get(id)
    if (known && known.untilMs > nowMs) return await known.outcome
    if (asked.size >= rememberedMax) asked.clear()
    const outcome = ask(of, requestId)
    asked.set(id, { outcome, untilMs: nowMs + bounds.unknownModelMs })
    return await outcome
  }
}
