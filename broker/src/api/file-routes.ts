import { Readable } from 'node:stream'
import { type FileInfo, type Files, filePrefixPattern, Missing, Refused } from '@almanac/shared'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { readFileName, refuseLarge, storeForm, storeOne } from './file-uploads.ts'
import { readPage } from './pages.ts'
import type { ApiParts } from './parts.ts'
import { createPlaces, type Places } from './places.ts'
import { fault, readFlag, refuseStrangers } from './question.ts'
import {
  Bytes,
  FileParams,
  FileQuery,
  FilesPage,
  FilesQuery,
  FileView,
  FormBody,
  FormQuery,
  problems,
  problemsWithBody,
  RemovedFile,
  WrittenFile,
  WrittenFiles,
} from './schemas.ts'

type Query = Readonly<Record<string, unknown>>
type NamedRoute = { Params: { '*': string }; Querystring: Query }
type Route = { Querystring: Query }

/** `/api/files`: what users bring. None of their bytes is kept in memory. */
export function addFileRoutes(server: FastifyInstance, parts: ApiParts, places: Places): void {
  // Whatever a client calls the bytes, they are not looked at here.
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, body, done) => done(null, body))
  // The schemas describe; the checks are in what reads names and queries.
  server.setValidatorCompiler(() => () => true)
  addUploads(server, parts, places)
  addFile(server, parts)
  addList(server, parts)
}

/** Whether the answer will be bytes, whatever else the client takes. */
export function wantsContent({ method, query, headers }: FastifyRequest): boolean {
  if (method !== 'GET') return false
  const { content } = query as Query
  if (content !== undefined) return content === 'true'
  return headers.accept?.toLowerCase().includes('application/octet-stream') === true
}

function addUploads(server: FastifyInstance, parts: ApiParts, places: Places): void {
  const config = { streamsBody: true }
  const response = problemsWithBody(408)
  /** Nothing of a body is read before it is known that it may come. */
  const begin = (request: FastifyRequest, reply: FastifyReply) => {
    const files = filesOf(parts)
    places.takeUntilAnswered(reply)
    const { expect, 'content-length': length } = request.headers
    // Small bodies are asked for by the server.
    if (expect !== undefined && Number(length) > parts.bounds.bodyBytesMax)
      reply.raw.writeContinue()
    const body = request.body instanceof Readable ? request.body : Readable.from([])
    return { files, body }
  }
  server.put<NamedRoute>(
    '/files/*',
    {
      config,
      schema: {
        summary: 'Stores the body as a file, in place of an earlier one of its name',
        params: FileParams,
        body: { content: { 'application/octet-stream': { schema: Bytes } } },
        response: { 200: WrittenFile, ...response },
      },
    },
    async (request, reply) => {
      const name = readFileName(request.params['*'])
      refuseStrangers(request.query, [])
      refuseLarge(filesOf(parts), request.headers['content-length'])
      const { files, body } = begin(request, reply)
      return await storeOne({ files, metrics: parts.metrics }, name, body)
    },
  )
  server.post<Route>(
    '/files',
    {
      config,
      schema: {
        summary: 'Stores the files of a form, each under its own name',
        querystring: FormQuery,
        body: { content: { 'multipart/form-data': { schema: FormBody } } },
        response: { 201: WrittenFiles, ...response },
      },
    },
    async (request, reply) => {
      const prefix = readPrefix(request.query)
      refuseStrangers(request.query, ['prefix'])
      const { 'content-type': type = '' } = request.headers
      if (!/^multipart\/form-data\b/i.test(type)) throw noForm
      const { files, body } = begin(request, reply)
      const uploads = { files, metrics: parts.metrics }
      const stored = await storeForm(uploads, (own) => prefix + own, body, type)
      return reply.code(201).send({ files: stored })
    },
  )
}

const noForm = new Refused(415, 'content-type', 'The body must be multipart/form-data.', {
  field: 'content-type',
  remedy: 'Send a form with files, or one file by PUT /api/files/NAME.',
})

function addFile(server: FastifyInstance, parts: ApiParts): void {
  const places = createPlaces('downloads', parts.bounds.downloadsMax)
  const content = {
    'application/json': { schema: FileView },
    'application/octet-stream': { schema: Bytes },
  }
  server.get<NamedRoute>(
    '/files/*',
    {
      // Its head would cost as much as all of it where bytes are asked for.
      exposeHeadRoute: false,
      schema: {
        summary: 'What is known of a file, or its bytes',
        params: FileParams,
        querystring: FileQuery,
        response: { 200: { content }, ...problems(400, 404, 409) },
      },
    },
    async (request, reply) => {
      const name = readFileName(request.params['*'])
      refuseStrangers(request.query, ['content'])
      readFlag('content', request.query.content)
      const files = filesOf(parts)
      if (!wantsContent(request)) return await findFile(files, name)
      places.takeUntilAnswered(reply)
      return await sendContent(files, name, reply)
    },
  )
  server.delete<NamedRoute>(
    '/files/*',
    {
      schema: {
        summary: 'Removes a file',
        params: FileParams,
        response: { 200: RemovedFile, ...problemsWithBody(404) },
      },
    },
    async (request) => {
      const name = readFileName(request.params['*'])
      refuseStrangers(request.query, [])
      const files = filesOf(parts)
      await findFile(files, name)
      await files.remove(name, unending())
      return { name }
    },
  )
}

function addList(server: FastifyInstance, parts: ApiParts): void {
  server.get<Route>(
    '/files',
    {
      schema: {
        summary: 'Files, in the order of their names',
        querystring: FilesQuery,
        response: { 200: FilesPage, ...problems(400, 409) },
      },
    },
    async ({ query }) => {
      refuseStrangers(query, ['prefix', 'limit', 'cursor'])
      const { limit, cursor } = readPage(textsOf(query), /^[\w./-]{1,200}$/)
      const asked = { prefix: readPrefix(query), after: cursor, limit }
      return await filesOf(parts).list(asked, unending())
    },
  )
}

/** What is known of a file; throws `Refused` where there is none. */
export async function findFile(
  files: Files,
  name: string,
  field: string = 'name',
): Promise<FileInfo> {
  const info = await files.info(name, unending())
  if (info !== undefined) return info
  throw noFile(name, field)
}

async function sendContent(files: Files, name: string, reply: FastifyReply) {
  const left = new AbortController()
  reply.raw.once('close', () => left.abort(new Error('the client left')))
  const { info, content } = await files.read(name, left.signal).catch((error) => {
    if (error instanceof Missing) throw noFile(name)
    // Nobody is there to be told, nor has anything failed.
    if (left.signal.aborted) throw new Refused(400, 'cut-off', 'The client left.')
    throw error
  })
  return reply
    .type('application/octet-stream')
    .header('content-length', String(info.sizeBytes))
    .header('etag', `"${info.etag}"`)
    .header('x-content-type-options', 'nosniff')
    .send(Readable.from(content, { objectMode: false }))
}

/** The port has deadlines of its own. */
const unending = () => new AbortController().signal

const noFile = (name: string, field = 'name') =>
  new Refused(404, 'no-such-file', `There is no file ${name}.`, { field })

/** Where files are kept; throws `Refused` where nobody said. */
export function filesOf({ files }: Pick<ApiParts, 'files'>): Files {
  if (files !== undefined) return files
  throw new Refused(409, 'no-place-for-files', 'Nobody said where files are to be kept.', {
    remedy:
      'Start all brokers and nodes with --files (ALMANAC_FILES): a folder that all of them ' +
      'share, or s3://BUCKET/PREFIX.',
  })
}

const prefixShape = new RegExp(filePrefixPattern)

function readPrefix({ prefix = '' }: Query): string {
  if (typeof prefix === 'string' && prefixShape.test(prefix)) return prefix
  throw fault('prefix', 'at most 200 letters, digits, dots, dashes, underscores and slashes')
}

/** Of what a query says twice, nothing is a text. */
function textsOf({ limit, cursor }: Query): { limit?: string; cursor?: string } {
  if (limit !== undefined && (typeof limit !== 'string' || !/^[1-9]\d{0,2}$/.test(limit)))
    throw fault('limit', 'a whole number from 1 to 100')
  if (cursor !== undefined && typeof cursor !== 'string')
    throw fault('cursor', 'the next of a page')
  return { ...(limit ? { limit } : {}), ...(cursor ? { cursor } : {}) }
}
