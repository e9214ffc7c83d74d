import { headers as names, PredictOrder, Refused } from '@almanac/shared'
import type { FastifyInstance } from 'fastify'
import { bounds } from '../config/bounds.ts'
import type { Predictions } from '../serving/predictions.ts'
import { readLoad } from '../serving/question.ts'
import {
  type AskedVersion,
  type FindParts,
  findVersion,
  json,
  notLoaded,
  readPlace,
} from './find-version.ts'

type Route = { Params: AskedVersion; Querystring: Record<string, unknown>; Body: PredictOrder }

/** `POST …/predictions/{tenant}/{model}/{version}`: rows by exactly that version, or a 409. */
export function addPredictionsRoute(
  server: FastifyInstance,
  parts: FindParts & { readonly predictions: Predictions },
): void {
  server.post<Route>(
    '/predictions/:tenant/:model/:version',
    { schema: { body: PredictOrder }, bodyLimit: bounds.predictOrderBytesMax },
    async ({ params, query, body }, reply) => {
      const place = readPlace(params)
      const loaded = await findVersion(parts, place, readLoad(query))
      if (loaded === undefined) {
        const said = notLoaded(parts.view, place)
        return reply.code(said.status).type(json['content-type']).send(said.body)
      }
      if (loaded.kind !== 'rows')
        throw new Refused(422, 'no-regression', `Version ${place.version} predicts no rows.`, {
          remedy: 'Ask it for a forecast: GET /api/models/{model}/forecast/{horizon}.',
        })
      reply.header(names.modelVersion, String(place.version))
      return await parts.predictions.answer(loaded, body)
    },
  )
}
