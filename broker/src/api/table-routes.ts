import {
  type BlobRef,
  Damaged,
  decodeTableSource,
  Missing,
  Refused,
  type VersionRecord,
} from '@almanac/shared'
import type { FastifyInstance } from 'fastify'
import { findModel } from './model-routes.ts'
import type { ApiParts } from './parts.ts'
import { readModelName } from './question.ts'
import { problems, RejectsBody, TableView, VersionParams } from './schemas.ts'
import { findVersion, readVersionNumber } from './version-routes.ts'

type Route = { Params: { model: string; version: string } }

/** `GET …/versions/:version/table`: what a version's table is, and what became of its rows. */
export function addTableRoutes(server: FastifyInstance, parts: ApiParts): void {
  server.get<Route>(
    '/models/:model/versions/:version/table',
    {
      validatorCompiler: () => () => true,
      schema: {
        summary: 'The table that a version is made of, its recipe, and what became of its rows',
        params: VersionParams,
        response: { 200: TableView, ...problems(400, 404, 409, 410, 422) },
      },
    },
    async (request) => {
      const { name, table } = await tableOf(parts, request.params)
      const source = decodeTableSource(await read(parts, name, table.source))
      if (!source.ok) throw unreadable(name, source.fault)
      const { file, recipe } = source.value
      const { report } = table
      const summary =
        report === null ? null : JSON.parse(Buffer.from(await read(parts, name, report)).toString())
      return { file, recipe, summary }
    },
  )
}

/** `GET …/versions/:version/rejects`: the rows of its table that were rejected or changed. */
export function addRejectsRoute(server: FastifyInstance, parts: ApiParts): void {
  server.get<Route>(
    '/models/:model/versions/:version/rejects',
    {
      exposeHeadRoute: false,
      validatorCompiler: () => () => true,
      schema: {
        summary: 'The rows of a version’s table that were rejected or changed, with their reasons',
        params: VersionParams,
        response: {
          200: { content: { 'text/csv': { schema: RejectsBody } } },
          ...problems(400, 404, 409, 410, 422),
        },
      },
    },
    async (request, reply) => {
      const { name, table } = await tableOf(parts, request.params)
      if (table.rejects === null)
        throw new Refused(409, 'not-ready', `The table of ${name} is not read yet.`, {
          retryAfterSeconds: 1,
        })
      const bytes = await read(parts, name, table.rejects)
      return reply.type('text/csv; charset=utf-8').send(Buffer.from(bytes))
    },
  )
}

async function tableOf(parts: ApiParts, params: Route['Params']) {
  const of = { tenant: parts.tenant, model: readModelName(params.model) }
  const version = readVersionNumber(params.version)
  const { floor } = await findModel(parts, of.model)
  const { value } = await findVersion(parts, of, version, floor)
  const { table }: VersionRecord = value
  const name = `version ${version} of ${of.model}`
  if (table) return { name, table }
  throw new Refused(422, 'no-table', `The data of ${name} was given as it is, not as a table.`)
}

async function read({ store, bounds }: ApiParts, name: string, id: string): Promise<Uint8Array> {
  const ref: BlobRef = { kind: 'dataset', id }
  return await store.readBlob(ref, AbortSignal.timeout(bounds.storeCallMs)).catch((error) => {
    if (error instanceof Missing)
      throw new Refused(410, 'collected', `The table of ${name} is not kept any more.`)
    if (error instanceof Damaged) throw unreadable(name, error.message)
    throw error
  })
}

const unreadable = (name: string, fault: string) =>
  new Refused(500, 'unreadable', `What is stored of the table of ${name} cannot be read: ${fault}`)
