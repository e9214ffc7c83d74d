import { Readable } from 'node:stream'
import { headers as names } from '@almanac/shared'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { ApiParts } from '../parts.ts'
import type { Places } from '../places.ts'
import { ModelParams, problemsWithBody } from '../schemas.ts'
import { csvOf, csvTypes, takeRawBodies, typeOf } from './bodies.ts'
import { answeredRows, type Derive, readQuestions } from './csv.ts'
import { asksForFile } from './file-body.ts'
import { predictFile } from './files.ts'
import { answeredObjects, readJson, readRows } from './json.ts'
import { type PredictionCourse, predictionCourse } from './question.ts'
import {
  FilePredictionView,
  PredictBody,
  PredictedBody,
  Predictions,
  PredictQuery,
  RowsBody,
} from './schemas.ts'

type Route = { Params: { model: string }; Querystring: Record<string, unknown> }

/** `POST /api/models/:model/predictions`: of rows, as CSV or JSON, or of a file into another. */
export function addPredictionRoutes(
  server: FastifyInstance,
  parts: ApiParts,
  places: Places,
): void {
  takeRawBodies(server, [...csvTypes, 'application/json'])
  server.post<Route>(
    '/models/:model/predictions',
    {
      // The schemas describe; the checks are in what reads bodies.
      validatorCompiler: () => () => true,
      schema: {
        summary: 'Predicts rows by a regression, at once or from file to file',
        params: ModelParams,
        querystring: PredictQuery,
        body: {
          content: {
            'text/csv': { schema: RowsBody },
            'application/json': { schema: PredictBody },
          },
        },
        response: {
          200: {
            content: {
              'text/csv': { schema: PredictedBody },
              'application/json': { schema: Type.Union([Predictions, FilePredictionView]) },
            },
          },
          202: { content: { 'application/json': { schema: FilePredictionView } } },
          ...problemsWithBody(404, 410, 422),
        },
      },
    },
    async (request, reply) => {
      const { model } = request.params
      const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const isJson = typeOf(request) === 'application/json'
      const json = isJson ? readJson(bytes, parts.bounds.predictJsonBytesMax) : undefined
      if (asksForFile(json)) return await predictFile(parts, request, reply, json, bytes)
      places.takeUntilAnswered(reply)
      const signal = patienceOf(reply)
      const rows = isJson ? readRows(json) : undefined
      const csv = rows === undefined ? await csvOf(request) : undefined
      const course = await predictionCourse(parts, model, request.query, request.id, signal)
      if (csv !== undefined) return await sendCsv(parts, reply, course, csv)
      const predictions = await answeredObjects(parts, course, rows ?? [])
      const { version } = course.ask
      return reply.header(names.modelVersion, String(version)).send({ model, version, predictions })
    },
  )
}

/** Until the first rows are answered what goes wrong is a problem; later the connection is cut. */
export async function sendCsv(
  parts: ApiParts,
  reply: FastifyReply,
  course: PredictionCourse,
  bytes: Buffer,
  derive: Derive = () => new Map(),
) {
  const text = answeredRows(parts, course, readQuestions(bytes, course.ask.columns, derive))
  const first = await text.next()
  const rest = async function* () {
    if (!first.done) yield first.value
    yield* text
  }
  return reply
    .header(names.modelVersion, String(course.ask.version))
    .header('cache-control', 'no-cache')
    .type('text/csv; charset=utf-8')
    .send(Readable.from(rest()))
}

/** Aborts when the client has left, or has its answer. */
export function patienceOf({ raw }: FastifyReply): AbortSignal {
  const left = new AbortController()
  raw.once('close', () => left.abort(new Error('the client left')))
  return left.signal
}
