import type { VersionRecord } from '@almanac/shared'
import { codec, codecs, LogRecord, type ModelName, modelId, Refused } from '@almanac/shared'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { logOf, recordId, versionsOf } from '../jobs/archive.ts'
import { unreadable } from '../jobs/unreadable.ts'
import { findModel } from './model-routes.ts'
import { type PageAsked, readPage } from './pages.ts'
import type { ApiParts } from './parts.ts'
import { presentLog, presentVersion } from './present.ts'
import {
  LogPage,
  ModelParams,
  PageQuery,
  problems,
  VersionParams,
  VersionsPage,
  VersionView,
} from './schemas.ts'

const logs = codec(LogRecord)
const numberShape = /^\d{1,15}$/

/** The versions and the log of a model: new from the coordinator, older ones from the store. */
export function addVersionRoutes(instance: FastifyInstance, parts: ApiParts): void {
  const server = instance.withTypeProvider<TypeBoxTypeProvider>()
  const ofModel = (model: string) => ({ tenant: parts.tenant, model })
  server.get(
    '/models/:model/versions',
    {
      schema: {
        summary: 'The versions of a model, newest first',
        params: ModelParams,
        querystring: PageQuery,
        response: { 200: VersionsPage, ...problems(400, 404) },
      },
    },
    async (request) => {
      const page = readPage(request.query, numberShape)
      const { model } = request.params
      const record = await findModel(parts, model)
      const id = modelId(ofModel(model))
      const near = [...(parts.state().versions.get(id) ?? [])].map(
        ([n, { value }]): readonly [number, Found] => [n, { value, collected: false }],
      )
      const far = async (limit: number) =>
        (await readFar(parts, versionsOf(ofModel(model)), page, limit)).flatMap(([n, text]) => {
          const version = codecs.version.decode(text)
          return version.ok ? [[n, { value: version.value, collected: true }] as const] : []
        })
      const merged = await mergePage(near, far, page, record.floor)
      const log = parts.log()
      const versions = merged.items.map(([, { value, collected }]) =>
        presentVersion(model, record, value, log, id, collected),
      )
      return { versions, next: merged.next }
    },
  )
  server.get(
    '/models/:model/versions/:version',
    {
      schema: {
        summary: 'One version',
        params: VersionParams,
        response: { 200: VersionView, ...problems(400, 404, 409, 410) },
      },
      // Numbers in paths are text.
      validatorCompiler: () => () => true,
    },
    async (request) => {
      const { model } = request.params
      const version = readVersionNumber(String(request.params.version))
      const record = await findModel(parts, model)
      const of = ofModel(model)
      const { value, collected } = await findVersion(parts, of, version, record.floor)
      return presentVersion(model, record, value, parts.log(), modelId(of), collected)
    },
  )
  server.get(
    '/models/:model/log',
    {
      schema: {
        summary: 'What served when, newest first',
        params: ModelParams,
        querystring: PageQuery,
        response: { 200: LogPage, ...problems(400, 404) },
      },
    },
    async (request) => {
      const page = readPage(request.query, numberShape)
      const { model } = request.params
      await findModel(parts, model)
      const near = [...parts.log().entries(modelId(ofModel(model)))]
      const far = async (limit: number) =>
        (await readFar(parts, logOf(ofModel(model)), page, limit)).flatMap(([n, text]) => {
          const entry = logs.decode(text)
          return entry.ok ? [[n, entry.value] as const] : []
        })
      const merged = await mergePage(near, far, page, 0)
      return { log: merged.items.map(([n, entry]) => presentLog(n, entry)), next: merged.next }
    },
  )
}

type Found = { readonly value: VersionRecord; readonly collected: boolean }

type Numbered<T> = readonly (readonly [number, T])[]

/** The newest below the cursor, from both places; what is in both counts once. */
async function mergePage<T>(
  near: Numbered<T>,
  far: (limit: number) => Promise<Numbered<T>>,
  { limit, cursor }: PageAsked,
  floor: number,
): Promise<{ readonly items: Numbered<T>; readonly next: string | null }> {
  const below = cursor === null ? Number.POSITIVE_INFINITY : Number(cursor)
  const fits = ([n]: readonly [number, T]) => n < below && n > floor
  const merged = new Map((await far(limit + 1)).filter(fits))
  for (const [n, value] of near) if (fits([n, value])) merged.set(n, value)
  const all = [...merged].sort(([a], [b]) => b - a)
  const items = all.slice(0, limit)
  const last = items.at(-1)
  return { items, next: all.length > limit && last ? String(last[0]) : null }
}

async function readFar(
  { store, bounds }: ApiParts,
  scope: { readonly collection: string; readonly scope: string },
  { cursor }: PageAsked,
  limit: number,
): Promise<Numbered<string>> {
  const after = cursor === null ? null : recordId(Number(cursor))
  const signal = AbortSignal.timeout(bounds.storeCallMs)
  const { records } = await store.listRecords(scope, { after, limit: Math.min(limit, 100) }, signal)
  return records.map(({ id, value }) => [Number(id), value] as const)
}

/** From the view, or from the store where it is old. Throws `Refused` where there is none. */
export async function findVersion(
  parts: ApiParts,
  of: ModelName,
  version: number,
  floor: number,
): Promise<Found> {
  const name = `Version ${version} of ${of.model}`
  if (version <= floor)
    throw new Refused(410, 'version-gone', `${name} belonged to a model that was deleted.`)
  const known = parts.state().versions.get(modelId(of))?.get(version)?.value
  if (known) return { value: known, collected: false }
  const signal = AbortSignal.timeout(parts.bounds.storeCallMs)
  const id = recordId(version)
  const far = await parts.store.getRecord({ ...versionsOf(of), id }, signal)
  const decoded = far && codecs.version.decode(far.value)
  if (decoded?.ok) return { value: decoded.value, collected: true }
  if (decoded) throw unreadable(`the stored record of ${name}`, decoded.fault)
  throw new Refused(404, 'no-such-version', `${of.model} has no version ${version}.`, {
    field: 'version',
  })
}

/** A version's number in a path. */
export function readVersionNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new Refused(400, 'invalid', 'version must be a whole number from 1.', { field: 'version' })
}
