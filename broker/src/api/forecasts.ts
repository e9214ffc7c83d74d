import { type Ask, etagOf, rememberedAsk } from '../routing/ask.ts'
import { type First, overloaded } from '../routing/forecaster.ts'
import {
  type Exchange,
  forward,
  matches,
  sendAnswer,
  sendNotModified,
  sendProblem,
} from './exchange.ts'
import type { ApiParts } from './parts.ts'

/** A question that was read and found in order, with what follows from it. */
export type Question = { readonly ask: Ask; readonly route: string }

export const questionOf = (ask: Ask, route: string): Question => ({
  ask: rememberedAsk(ask),
  route,
})

type Parts = Pick<ApiParts, 'forecaster' | 'metrics' | 'isDraining' | 'logger'>

/** Answers a question: at once from what is kept, else with what a node says. Never throws. */
export function answer(parts: Parts, question: Question, exchange: Exchange): void {
  if (answerAtOnce(parts, question, exchange)) return
  if (parts.forecaster.isFull()) refuse(parts, exchange)
  else askNodes(parts, question, exchange)
}

/** Too much to do: said at once and at little cost, so that what is under way stays fast. */
export function refuse(parts: Parts, exchange: Exchange): void {
  parts.metrics.refusals.inc()
  sendProblem(parts, exchange, overloaded)
}

/** True when nobody had to be asked. */
function answerAtOnce(parts: Parts, { ask }: Question, exchange: Exchange): boolean {
  const { forecaster, metrics } = parts
  const version = forecaster.versionNow(ask)
  if (version === undefined) return false
  const held = exchange.request.headers['if-none-match']
  if (held !== undefined) {
    const etag = etagOf(ask, version)
    // `*` stands for any answer that there is, which only a node can tell.
    if (held !== '*' && matches(held, etag)) {
      metrics.cacheHits.inc()
      sendNotModified(parts, exchange, version, etag)
      return true
    }
  }
  const kept = forecaster.kept(ask, version)
  if (kept === undefined) return false
  metrics.cacheHits.inc()
  sendAnswer(parts, exchange, kept)
  return true
}

/** One try is all that most requests need: what comes of it is sent without further ado. */
function askNodes(parts: Parts, { ask }: Question, exchange: Exchange): void {
  const { forecaster, metrics } = parts
  const { response, id } = exchange
  metrics.cacheMisses.inc()
  const first = forecaster.first(ask, id, (tried) => {
    if (first) response.off('close', first.leave)
    if (response.destroyed) return
    if (tried?.tried.kind === 'answer') return sendAnswer(parts, exchange, tried.tried.answer)
    void goOn(parts, ask, exchange, tried)
  })
  if (first) response.once('close', first.leave)
  else void goOn(parts, ask, exchange, undefined)
}

/** Everything else: waiting, asking others, refusing. */
async function goOn(
  parts: Parts,
  ask: Ask,
  exchange: Exchange,
  first: First | undefined,
): Promise<void> {
  const { response, id } = exchange
  const left = new AbortController()
  const leave = () => left.abort(new Error('the client left'))
  response.once('close', leave)
  try {
    const outcome = await parts.forecaster.answer(ask, id, left.signal, first)
    if (outcome.kind === 'answer') sendAnswer(parts, exchange, outcome.answer)
    else forward(parts, exchange, outcome)
  } catch (error) {
    // Where the client has left, nobody is there to be told.
    if (left.signal.aborted) return
    if (error === overloaded) refuse(parts, exchange)
    else sendProblem(parts, exchange, error)
  } finally {
    response.off('close', leave)
  }
}
