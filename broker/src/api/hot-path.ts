import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import {
  Doorkeeper,
  faultOfHead,
  limits,
  headers as names,
  type RequestTimes,
  requestIdOf,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { createFamiliar } from './familiar.ts'
import { answer, type Question, refuse } from './forecasts.ts'
import type { ApiParts } from './parts.ts'

/**
 * Answers what was asked before, ahead of the framework. It reads nothing itself: it knows URLs,
 * hosts and accepted types that the framework's route let through, and takes over only requests
 * made of these whose head has no fault. All others, and whatever else is in a request, are left to
 * the route; only when there is too much to do are forecasts refused unread.
 */
export type HotPath = {
  readonly first: (request: IncomingMessage, response: ServerResponse) => boolean
  /** The route let a request through, and this is what it asks; known from the second time on. */
  readonly learn: (request: IncomingMessage, question: Question) => void
}

/** Real URLs are shorter; what is not is left to the route. */
const urlCharactersMax = 500
/** Names and types are shorter, too, and few. */
const valueBounds = { entriesMax: 100, charactersMax: 200 }

const isForecast = /^\/api\/(models\/[^/?]+\/)?forecast\//
/** Under what requests are timed that were refused without being read. */
const unreadRoute = 'none'

type Parts = Pick<ApiParts, 'forecaster' | 'metrics' | 'isDraining' | 'isReady' | 'logger'> & {
  readonly bounds: Pick<Bounds, 'familiarQuestionsMax'>
}

export function createHotPath(parts: Parts, times: RequestTimes): HotPath {
  // Kept at once, questions that come only once would each grow old in the heap before they go.
  const questions = createFamiliar<Question>(
    { entriesMax: parts.bounds.familiarQuestionsMax, charactersMax: urlCharactersMax },
    new Doorkeeper(limits.doorkeeperPlaces),
  )
  const hosts = createFamiliar<true>(valueBounds)
  const types = createFamiliar<true>(valueBounds)

  const isFamiliar = (headers: IncomingHttpHeaders) =>
    headers.origin === undefined &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    hosts.get(headers.host ?? '') === true &&
    types.get(headers.accept ?? '') === true
  const exchangeOf = (request: IncomingMessage, response: ServerResponse, route: string) => {
    const startedMs = performance.now()
    const id = requestIdOf(request.headers[names.requestId])
    const onEnd = (status: number) =>
      times('GET', route, status)((performance.now() - startedMs) / 1_000)
    return { request, response, id, onEnd }
  }
  return {
    first: (request, response) => {
      const { method, url = '', headers } = request
      if (method !== 'GET') return false
      const question = questions.get(url)
      // With too much to do, even finding out what is asked would be too much.
      const isTooMuch = question === undefined && isForecast.test(url) && parts.forecaster.isFull()
      if (question === undefined && !isTooMuch) return false
      if (!isFamiliar(headers) || faultOfHead(request) || !parts.isReady()) return false
      const route = question?.route ?? unreadRoute
      const exchange = exchangeOf(request, response, route)
      if (question) answer(parts, question, exchange)
      else refuse(parts, exchange)
      return true
    },
    learn: ({ url, headers }, question) => {
      questions.set(url ?? '', question)
      if (headers.origin !== undefined) return
      hosts.set(headers.host ?? '', true)
      types.set(headers.accept ?? '', true)
    },
  }
}
