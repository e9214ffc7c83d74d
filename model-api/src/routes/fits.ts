import { FitOrder, Refused } from '@almanac/shared'
import type { FastifyInstance } from 'fastify'
import type { FitQueue } from '../fitting/fit-queue.ts'

/** `POST /internal/v1/fits`: takes an order by its job id. The claim is what counts, not this. */
export function addFitsRoute(server: FastifyInstance, queue: FitQueue | undefined): void {
  server.post<{ Body: FitOrder }>(
    '/fits',
    { schema: { body: FitOrder } },
    async (request, reply) => {
      if (queue === undefined)
        throw new Refused(409, 'wrong-role', 'This node does not have the role fit.')
      const { job, shards = false } = request.body
      if (job.includes('/'))
        throw new Refused(400, 'invalid', 'job is not an id.', { field: 'job' })
      const accepted = queue.accept(job, shards)
      if (accepted === 'full')
        throw new Refused(429, 'fits-full', 'This node has as many fits as it takes.', {
          retryAfterSeconds: 1,
        })
      if (accepted === 'draining')
        throw new Refused(503, 'draining', 'This node is about to stop.', { retryAfterSeconds: 1 })
      return reply.code(202).send({ job, state: accepted })
    },
  )
}
