import { Readable } from 'node:stream'
import { Refused } from '@almanac/shared'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { filesOf } from '../file-routes.ts'
import { storeForm } from '../file-uploads.ts'
import type { ApiParts } from '../parts.ts'
import type { Places } from '../places.ts'
import { csvOf, csvTypes, takeRawBodies } from '../predictions/bodies.ts'
import { predictionCourse } from '../predictions/question.ts'
import { patienceOf, sendCsv } from '../predictions/routes.ts'
import { PredictedBody, RowsBody } from '../predictions/schemas.ts'
import { FormBody, problems, problemsWithBody } from '../schemas.ts'
import { announceUpload } from './announce-upload.ts'
import { fieldsOf, readOptional } from './body.ts'
import { columnsOfSales, fileOfUrl, pipelineModel, trainPipeline } from './pipeline.ts'
import { Training, Uploaded } from './schemas.ts'
import { storableName } from './storable-name.ts'

/** The calls of the sales pipeline. */
export function addPipelineRoutes(
  server: FastifyInstance,
  parts: ApiParts,
  places: { readonly uploads: Places; readonly predictions: Places },
): void {
  server.register(async (plain) => addTraining(plain, parts))
  server.register(async (uploads) => addUpload(uploads, parts, places.uploads))
  server.register(async (rows) => addPredict(rows, parts, places.predictions))
}

const unchecked = { validatorCompiler: () => () => true }
const tags = ['earlier']

function addTraining(server: FastifyInstance, parts: ApiParts): void {
  const text = Type.Optional(Type.String())
  server.post(
    '/train',
    {
      ...unchecked,
      bodyLimit: bodyBytesMax,
      schema: {
        summary: 'Trains the random forest of the sales pipeline on a stored file',
        tags,
        body: Type.Object({ url: text, file: text }),
        response: { 202: Training, ...problemsWithBody(422) },
      },
    },
    async (request, reply) => {
      const fields = fieldsOf(request)
      const field = fields.file === undefined ? 'url' : 'file'
      const given = readOptional(fields, field)
      if (given === undefined)
        throw new Refused(400, 'missing', 'The body needs a url or a file.', { field: '/url' })
      const file = fileOfUrl(parts, given, field)
      const { job, model, version } = await trainPipeline(parts, file, request.id)
      const message = 'Training has begun.'
      return reply
        .code(202)
        .header('location', `/api/jobs/${job}`)
        .send({ message, job, model, version, file })
    },
  )
  server.get(
    '/train/*',
    {
      ...unchecked,
      schema: { summary: 'Begins nothing', tags, hide: true, response: problems(405) } as object,
    },
    async (_request, reply) => {
      reply.header('allow', 'POST')
      throw new Refused(405, 'method', 'GET begins no work.', {
        remedy: 'POST /train with {"url"} or {"file"}.',
      })
    },
  )
}

const bodyBytesMax = 65_536

function addUpload(server: FastifyInstance, parts: ApiParts, places: Places): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('multipart/form-data', (_request, body, done) => done(null, body))
  server.post(
    '/upload',
    {
      ...unchecked,
      config: { streamsBody: true },
      schema: {
        summary: 'Stores the files of a form, and trains the sales pipeline on the last of them',
        tags,
        body: { content: { 'multipart/form-data': { schema: FormBody } } },
        response: { 201: Uploaded, ...problemsWithBody(408) },
      },
    },
    async (request, reply) => {
      const files = filesOf(parts)
      places.takeUntilAnswered(reply)
      const { expect, 'content-length': length, 'content-type': type = '' } = request.headers
      // Small bodies are asked for by the server.
      if (expect !== undefined && Number(length) > parts.bounds.bodyBytesMax)
        reply.raw.writeContinue()
      const body = request.body instanceof Readable ? request.body : Readable.from([])
      const uploads = { files, metrics: parts.metrics }
      const stored = await storeForm(uploads, (own) => prefix + storableName(own), body, type)
      const { name, sizeBytes, sha256 } = stored.at(-1)!
      const url = `/api/files/${name}`
      const training = await announceUpload(parts, { name, url }, request.id)
      const { message } = training
      return reply.code(201).send({ message, url, name, sizeBytes, sha256, training })
    },
  )
}

const prefix = 'uploads/'

function addPredict(server: FastifyInstance, parts: ApiParts, places: Places): void {
  takeRawBodies(server, csvTypes)
  server.post<{ Querystring: Record<string, unknown> }>(
    '/predict',
    {
      ...unchecked,
      schema: {
        summary: 'Predicts the rows of a CSV by the random forest of the sales pipeline',
        tags,
        body: { content: { 'text/csv': { schema: RowsBody } } },
        response: {
          200: { content: { 'text/csv': { schema: PredictedBody } } },
          ...problemsWithBody(404, 410, 422),
        },
      },
    },
    async (request, reply) => {
      places.takeUntilAnswered(reply)
      const csv = await csvOf(request)
      const signal = patienceOf(reply)
      const course = await predictionCourse(parts, pipelineModel, request.query, request.id, signal)
      return await sendCsv(parts, reply, course, csv, columnsOfSales)
    },
  )
}
