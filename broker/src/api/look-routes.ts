import { isFileName, type LookOrder, Refused } from '@almanac/shared'
import { parseSource } from '@almanac/tables/recipe'
import type { FastifyInstance } from 'fastify'
import { filesOf, findFile } from './file-routes.ts'
import { LookRequest, TableLookView } from './look-schemas.ts'
import type { ApiParts } from './parts.ts'
import { createPlaces } from './places.ts'
import { problemsWithBody } from './schemas.ts'
import { isObject } from './series-body.ts'

/** `POST /api/tables/look`: what a file is made of, and a recipe for it. */
export function addLookRoutes(server: FastifyInstance, parts: ApiParts): void {
  const places = createPlaces('looks', parts.bounds.looksMax)
  server.post(
    '/tables/look',
    {
      bodyLimit: parts.bounds.lookBodyBytesMax,
      // The schema describes; the checks are in `readLook`, which says what to do.
      validatorCompiler: () => () => true,
      schema: {
        summary: 'What the beginning of a file says about it, and a recipe that may suit it',
        body: LookRequest,
        response: { 200: TableLookView, ...problemsWithBody(404, 422) },
      },
    },
    async (request, reply) => {
      const files = filesOf(parts)
      const order = readLook(request.body)
      await findFile(files, order.file, '/file')
      places.takeUntilAnswered(reply)
      const left = new AbortController()
      reply.raw.once('close', () => left.abort(new Error('the client left')))
      const body = await parts.askLook(order, request.id, left.signal).catch((error) => {
        // Nobody is there to be told, nor has anything failed.
        if (left.signal.aborted) throw new Refused(400, 'cut-off', 'The client left.')
        throw error
      })
      return reply.type('application/json; charset=utf-8').send(body)
    },
  )
}

const fields = ['file', 'source']

function readLook(given: unknown): LookOrder {
  if (!isObject(given)) throw wrong('', 'The body must be an object that names a file.')
  const stranger = Object.keys(given).find((name) => !fields.includes(name))
  if (stranger !== undefined) {
    const shown = stranger.slice(0, 100)
    const remedy = `The fields are ${fields.join(', ')}.`
    throw wrong(`/${shown}`, `There is no field ${JSON.stringify(shown)} here.`, remedy)
  }
  const { file, source } = given
  if (typeof file !== 'string' || !isFileName(file))
    throw wrong('/file', 'file must be the name of a file, like sales/2024.csv.gz.')
  if (source === undefined) return { file }
  const parsed = parseSource(source)
  if (parsed.kind === 'done') return { file, source }
  const [fault] = parsed.faults
  const detail = `The source cannot be used. ${fault?.detail ?? ''}`.trim()
  throw wrong(fault?.field ?? '/source', detail, fault?.remedy)
}

function wrong(field: string, detail: string, remedy?: string): Refused {
  return new Refused(422, 'invalid', detail, { field, ...(remedy ? { remedy } : {}) })
}
