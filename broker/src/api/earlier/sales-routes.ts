import { Refused } from '@almanac/shared'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { filesOf } from '../file-routes.ts'
import type { ApiParts } from '../parts.ts'
import { patienceOf } from '../predictions/routes.ts'
import { problems, problemsWithBody } from '../schemas.ts'
import { type Fields, fieldsOf, readOptional, readText } from './body.ts'
import { readDates, readRange } from './date-range.ts'
import { checkBucket, lookAtFile, readFileField } from './look.ts'
import {
  findProcessing,
  keepProcessing,
  lastTraining,
  modelOfDataset,
  modelOfProcessing,
  train,
} from './processing.ts'
import { readRoles, recipeOf } from './roles.ts'
import { salesOf } from './sales.ts'
import { Prepared, Processed, Processing, Sales, Trained } from './schemas.ts'

const text = Type.String()
const optional = Type.Optional(text)
const roles = {
  timeColumn: optional,
  targetColumn: optional,
  categoryColumn: optional,
  dateFormat: optional,
  frequency: optional,
}
/** The schemas describe; the checks are in what reads fields, which takes as much as ever. */
const described = (summary: string, body: Parameters<typeof Type.Object>[0], answer: TSchema) => ({
  validatorCompiler: () => () => true,
  bodyLimit: bodyBytesMax,
  schema: {
    summary,
    tags: ['earlier'],
    body: Type.Object(body),
    response: { 200: answer, ...problemsWithBody(404, 410, 422) },
  },
})
const bodyBytesMax = 65_536

/** The calls of the system that forecast sales by product. */
export function addSalesRoutes(server: FastifyInstance, parts: ApiParts): void {
  server.post(
    '/processing',
    described(
      'Takes a stored file as a data set',
      { FileName: text, Bucket: optional, ...roles },
      Processed,
    ),
    (request) => process(parts, request),
  )
  server.post(
    '/trainModel',
    described(
      'Trains a model for each product',
      { processingId: text, bucketName: optional },
      Trained,
    ),
    (request) => trainModel(parts, request),
  )
  server.post(
    '/forcastSale',
    described(
      'The forecast of a product over some dates',
      {
        dates: Type.Unknown(),
        productId: text,
        processingId: text,
        bucketName: optional,
      },
      Sales,
    ),
    (request, reply) => forecastSale(parts, request, reply),
  )
  server.post(
    '/dataPrep',
    described(
      'Processes and trains in one',
      { datasetId: text, userId: optional, ...roles },
      Prepared,
    ),
    (request) => prepare(parts, request),
  )
  addReads(server, parts)
}

function addReads(server: FastifyInstance, parts: ApiParts): void {
  server.get<{ Params: { processingId: string } }>(
    '/processing/:processingId',
    {
      validatorCompiler: () => () => true,
      schema: {
        summary: 'How far a data set is',
        tags: ['earlier'],
        params: Type.Object({ processingId: text }),
        response: { 200: Processing, ...problems(404) },
      },
    },
    async ({ params: { processingId } }) => {
      const { file, recipe } = await findProcessing(parts, processingId)
      const training = lastTraining(parts, modelOfProcessing(processingId))
      const done = { job_type: 'PROCESSING', job_status: 'SUCCESS' }
      return { processingId, FileName: file, ...done, recipe, training }
    },
  )
  server.get<{ Querystring: Fields }>(
    '/predict',
    {
      validatorCompiler: () => () => true,
      schema: {
        summary: 'The forecast of a product of a data set',
        tags: ['earlier'],
        querystring: Type.Object({
          startDate: text,
          endDate: text,
          productId: text,
          datasetId: text,
          userId: optional,
        }),
        response: { 200: Sales, ...problems(400, 404, 409, 410, 422) },
      },
    },
    async ({ query, id }, reply) => {
      const range = readRange(readText(query, 'startDate'), readText(query, 'endDate'), 'startDate')
      const productId = readText(query, 'productId')
      const model = modelOfDataset(readFileField(readText(query, 'datasetId'), 'datasetId'))
      const sales = await salesOf(parts, { model, productId, range }, id, patienceOf(reply))
      return sales.map(({ date, 'predicted sales': sold }) => ({ date, 'predicted sales': sold }))
    },
  )
}

async function process(parts: ApiParts, request: FastifyRequest) {
  const fields = fieldsOf(request)
  const file = readFileField(readText(fields, 'FileName'), 'FileName')
  checkBucket(filesOf(parts), readOptional(fields, 'Bucket'))
  const recipe = recipeOf(await lookAtFile(parts, file, 'FileName', request.id), readRoles(fields))
  const processingId = await keepProcessing(parts, file, recipe)
  return { processingId, message: 'The data set is ready to be trained on.' }
}

async function trainModel(parts: ApiParts, request: FastifyRequest) {
  const fields = fieldsOf(request)
  const processingId = readText(fields, 'processingId')
  const { file, recipe } = await findProcessing(parts, processingId)
  await mustBeThere(parts, file)
  const model = modelOfProcessing(processingId)
  const { job } = await train(parts, model, { file, recipe }, request.id)
  return { message: 'Training has begun: a model for each product.', job, model }
}

async function forecastSale(parts: ApiParts, request: FastifyRequest, reply: FastifyReply) {
  const fields = fieldsOf(request)
  const range = readDates(fields.dates)
  const productId = readText(fields, 'productId')
  const processingId = readText(fields, 'processingId')
  await findProcessing(parts, processingId)
  const model = modelOfProcessing(processingId)
  return await salesOf(parts, { model, productId, range }, request.id, patienceOf(reply))
}

async function prepare(parts: ApiParts, request: FastifyRequest) {
  const fields = fieldsOf(request)
  const file = readFileField(readText(fields, 'datasetId'), 'datasetId')
  const recipe = recipeOf(await lookAtFile(parts, file, 'datasetId', request.id), readRoles(fields))
  const { job, model } = await train(parts, modelOfDataset(file), { file, recipe }, request.id)
  const message = 'The data set is ready, and training has begun.'
  return { message, job_type: 'TRAINING', job_status: 'RUNNING', job, model }
}

async function mustBeThere(parts: ApiParts, file: string): Promise<void> {
  const signal = AbortSignal.timeout(parts.bounds.fileCallMs)
  if ((await filesOf(parts).info(file, signal)) !== undefined) return
  throw new Refused(422, 'no-such-file', `There is no file ${file} any more.`, {
    field: '/processingId',
    remedy: `Upload it again: PUT /api/files/${file}.`,
  })
}
