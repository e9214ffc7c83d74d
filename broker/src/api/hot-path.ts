import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { headers as names, type RequestTimes, requestIdOf } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { createFamiliar } from './familiar.ts'
import { answer, type Question } from './forecasts.ts'
import type { ApiParts } from './parts.ts'

/**
 * Answers what was asked before, ahead of the framework. It checks and reads nothing itself: it
 * knows URLs, hosts and accepted types that the framework's route let through, and takes over only
 * requests made of these. All others, and whatever else is in a request, are left to the route.
 */
export type HotPath = {
  readonly first: (request: IncomingMessage, response: ServerResponse) => boolean
  /** The route let a request through, and this is what it asks. */
  readonly learn: (request: IncomingMessage, question: Question) => void
}

/** Real URLs, names and types are shorter; what is not is left to the route. */
const urlCharactersMax = 500
const valueCharactersMax = 200
/** Hosts and accepted types are few. */
const valuesMax = 100

type Parts = Pick<ApiParts, 'forecaster' | 'metrics' | 'isDraining' | 'isReady' | 'logger'> & {
  readonly bounds: Pick<Bounds, 'familiarQuestionsMax'>
}

export function createHotPath(parts: Parts, times: RequestTimes): HotPath {
  const questions = createFamiliar<Question>(parts.bounds.familiarQuestionsMax, urlCharactersMax)
  const hosts = createFamiliar<true>(valuesMax, valueCharactersMax)
  const types = createFamiliar<true>(valuesMax, valueCharactersMax)

  const isFamiliar = (headers: IncomingHttpHeaders) =>
    headers.origin === undefined &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    hosts.get(headers.host ?? '') === true &&
    types.get(headers.accept ?? '') === true
  return {
    first: (request, response) => {
      if (request.method !== 'GET') return false
      const question = questions.get(request.url ?? '')
      if (question === undefined || !isFamiliar(request.headers) || !parts.isReady()) return false
      const startedMs = performance.now()
      answer(parts, question, {
        request,
        response,
        id: requestIdOf(request.headers[names.requestId]),
        onEnd: (status) =>
          times('GET', question.route, status)((performance.now() - startedMs) / 1_000),
      })
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
