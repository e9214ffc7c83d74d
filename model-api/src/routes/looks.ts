import { LookOrder, limits, Refused } from '@almanac/shared'
import { parseSource } from '@almanac/tables/recipe'
import type { FastifyInstance } from 'fastify'
import type { NodeContext } from '../base/context.ts'
import { Gate } from '../base/gate.ts'
import { bounds } from '../config/bounds.ts'
import { lookAtFile } from '../fitting/table/look.ts'

export type LookParts = {
  readonly context: Pick<NodeContext, 'files' | 'scratch' | 'clock' | 'metrics'>
  /** Aborts when the node begins to leave. */
  readonly drain: AbortController
}

/** `POST /internal/v1/looks`: what the beginning of a file says about it. */
export function addLooksRoute(server: FastifyInstance, { context, drain }: LookParts): void {
  const gate = new Gate(1)
  server.post<{ Body: LookOrder }>(
    '/looks',
    { bodyLimit: limits.lookBodyBytesMax, schema: { body: LookOrder } },
    async ({ body }, reply) => {
      const { file, source: given } = body
      const source = given === undefined ? null : readSource(given)
      const startedMs = context.clock.monotonicMs()
      const count = (outcome: string) => {
        const seconds = (context.clock.monotonicMs() - startedMs) / 1_000
        context.metrics.lookSeconds.observe({ outcome }, seconds)
      }
      if (gate.size >= bounds.looksMax) {
        count('busy')
        throw new Refused(429, 'looks-full', 'This node has as many looks at tables as it takes.', {
          retryAfterSeconds: 1,
        })
      }
      const left = new AbortController()
      reply.raw.once('close', () => left.abort(new Error('the broker left')))
      const late = AbortSignal.timeout(limits.lookMs)
      const signal = AbortSignal.any([late, left.signal, drain.signal])
      try {
        const look = await gate.run(() => {
          signal.throwIfAborted()
          return lookAtFile(context, { file, source }, signal)
        })
        count('looked')
        return look
      } catch (error) {
        count(signal.aborted ? 'ended' : outcomeOf(error))
        throw signal.aborted ? ended(late.aborted) : error
      }
    },
  )
}

function readSource(given: unknown) {
  const parsed = parseSource(given)
  if (parsed.kind === 'done') return parsed.value
  const [fault] = parsed.faults
  throw new Refused(422, 'source', fault?.detail ?? '', {
    field: fault?.field ?? '/source',
    ...(fault ? { remedy: fault.remedy } : {}),
  })
}

const outcomeOf = (error: unknown) =>
  error instanceof Refused && error.status < 500 ? 'refused' : 'failed'

function ended(isLate: boolean): Refused {
  const why = isLate ? 'The look took too long.' : 'The look was ended before it was done.'
  return new Refused(503, 'look-ended', why, { retryAfterSeconds: 1 })
}
