import type { ServerResponse } from 'node:http'
import { headers as names, Refused } from '@almanac/shared'
import { forecastParts } from '../routing/many-forecasts.ts'
import { type Exchange, sendProblem } from './exchange.ts'
import { findIndex } from './find-index.ts'
import { refuse } from './forecasts.ts'
import type { Format, ManyQuestion } from './many-question.ts'
import type { ApiParts } from './parts.ts'

/** Streams forecasts of many series, a bounded number of streams at once. Never rejects. */
export type StreamForecasts = (question: ManyQuestion, exchange: Exchange) => Promise<void>

export function createStreams(parts: ApiParts): StreamForecasts {
  const { bounds, forecaster, metrics } = parts
  const tooMany = new Refused(503, 'too-many-streams', 'As many streams as may be are under way.', {
    retryAfterSeconds: 1,
  })
  let count = 0
  return async (question, exchange) => {
    if (forecaster.isFull()) return refuse(parts, exchange)
    if (count >= bounds.streamsMax) return sendProblem(parts, exchange, tooMany)
    count += 1
    metrics.streams.set(count)
    await stream(parts, question, exchange)
    count -= 1
    metrics.streams.set(count)
  }
}

/**
 * Until the first part is there, what goes wrong is told as a problem. From then on the answer has
 * begun: it ends whole, or its connection is cut, so that nobody takes a part for all of it.
 */
async function stream(parts: ApiParts, question: ManyQuestion, exchange: Exchange): Promise<void> {
  const { response } = exchange
  const left = new AbortController()
  const leave = () => left.abort(new Error('the client left'))
  response.once('close', leave)
  try {
    await sendParts(parts, question, exchange, left.signal)
    response.end()
  } catch (error) {
    // Where the client has left, nobody is there to be told.
    if (left.signal.aborted) return
    if (!response.headersSent) return sendProblem(parts, exchange, error)
    const { model, format } = question
    const cause = error instanceof Error ? error.message : String(error)
    parts.logger.warn({ event: 'stream-broken', requestId: exchange.id, model, format, cause })
    response.destroy()
  } finally {
    response.off('close', leave)
    // What was asked ahead is of no use to anybody.
    leave()
  }
}

async function sendParts(
  parts: ApiParts,
  question: ManyQuestion,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<void> {
  const { forecaster, askShard, bounds } = parts
  const { response, id: requestId } = exchange
  const asked = { ...question, query: '', atLeast: null }
  const version = await forecaster.version(asked, requestId, signal)
  const index = await findIndex(parts, question, version)
  const { nodeWaitMs: firstMs, streamPatienceMs: laterMs } = bounds
  const course = { requestId, signal, firstMs, laterMs }
  // The first shard may have nothing, and the next one a reason to refuse.
  const held: Buffer[] = []
  const send = async (bodies: readonly Buffer[]) => {
    begin(parts, question, exchange, version)
    for (const body of bodies) if (body.length > 0) await write(response, body, signal)
  }
  for await (const part of forecastParts(askShard, { version, index }, question, course)) {
    held.push(part.body)
    if (part.count > 0) await send(held.splice(0))
  }
  const end = ends[question.format]
  await send(end === undefined ? held : [...held, end])
}

/** How a whole answer ends: of Arrow with a message of no length. */
const ends: Readonly<Partial<Record<Format, Buffer>>> = {
  arrow: Buffer.from([255, 255, 255, 255, 0, 0, 0, 0]),
}

const types: Readonly<Record<Format, string>> = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  arrow: 'application/vnd.apache.arrow.stream',
}

function begin(
  parts: ApiParts,
  { format, head }: ManyQuestion,
  { response, id }: Exchange,
  version: number,
): void {
  if (response.headersSent) return
  const list = ['content-type', types[format], 'cache-control', 'no-cache']
  list.push(names.modelVersion, String(version), names.requestId, id)
  if (parts.isDraining()) list.push('connection', 'close')
  response.writeHead(200, list)
  if (head !== '') response.write(head)
}

/** Resolves when the client has taken most of it: one part is held for it, and one is ahead. */
async function write(response: ServerResponse, body: Buffer, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (response.write(body)) return
  await new Promise<void>((resolve, reject) => {
    const go = () => {
      signal.removeEventListener('abort', stop)
      resolve()
    }
    const stop = () => {
      response.off('drain', go)
      reject(signal.reason)
    }
    response.once('drain', go)
    signal.addEventListener('abort', stop, { once: true })
  })
}
