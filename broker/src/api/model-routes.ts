import { type ModelRecord, modelId, Refused } from '@almanac/shared'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type ControlParts, deleteModel, release, rollBack } from '../rollout/control.ts'
import { firstInOrder, someNames } from '../view/first-in-order.ts'
import { readPage } from './pages.ts'
import type { ApiParts } from './parts.ts'
import { presentModel } from './present.ts'
import { readModelName } from './question.ts'
import {
  DeletedAnswer,
  ModelParams,
  ModelsPage,
  ModelView,
  PageQuery,
  problems,
  problemsWithBody,
  RollbackRequest,
  RolloutAnswer,
} from './schemas.ts'

/** `/api/models`: what exists and what serves; rollback, release and deletion. */
export function addModelRoutes(instance: FastifyInstance, parts: ApiParts): void {
  const server = instance.withTypeProvider<TypeBoxTypeProvider>()
  server.get(
    '/models',
    {
      schema: {
        summary: 'The models that exist, by name',
        querystring: PageQuery,
        response: { 200: ModelsPage, ...problems(400) },
      },
    },
    async (request) => {
      const { limit, cursor } = readPage(request.query)
      const found = firstInOrder(liveModels(parts), limit + 1, cursor)
      const names = found.slice(0, limit)
      const state = parts.state()
      const models = names.flatMap((model) => {
        const record = knownRecord(parts, model)
        return record ? [presentModel(state, parts.tenant, model, record)] : []
      })
      return { models, next: found.length > limit ? (names.at(-1) ?? null) : null }
    },
  )
  const response = { 200: ModelView, ...problems(400, 404) }
  server.get(
    '/models/:model',
    { schema: { summary: 'One model', params: ModelParams, response } },
    async (request) => {
      const { model } = request.params
      return presentModel(parts.state(), parts.tenant, model, await findModel(parts, model))
    },
  )
  addChanges(instance, parts)
}

function addChanges(instance: FastifyInstance, parts: ApiParts): void {
  const server = instance.withTypeProvider<TypeBoxTypeProvider>()
  const control: ControlParts = parts
  const of = (model: string) => ({ tenant: parts.tenant, model: readModelName(model) })
  const response = { 200: DeletedAnswer, ...problemsWithBody(404) }
  server.delete(
    '/models/:model',
    { schema: { summary: 'Deletes a model', params: ModelParams, response } },
    async (request) => {
      const name = of(request.params.model)
      const { record, lastVersion } = await deleteModel(control, name)
      await seen(parts, modelId(name), (now) => now.deletedAt !== null || now.floor >= lastVersion)
      parts.logger.info({ event: 'model-deleted', ...name, lastVersion, requestId: request.id })
      return { model: name.model, deletedAt: record.deletedAt ?? '', lastVersion }
    },
  )
  const rolledOut = { 200: RolloutAnswer, 202: RolloutAnswer }
  server.post(
    '/models/:model/rollback',
    {
      // A rollback needs no body: without one it goes back to the version before.
      preValidation: async (request) => {
        request.body ??= {}
      },
      schema: {
        summary: 'Serves an earlier version again, and holds it',
        params: ModelParams,
        body: RollbackRequest,
        response: { ...rolledOut, ...problemsWithBody(404, 409, 410, 422) },
      },
    },
    async (request, reply) => {
      const name = of(request.params.model)
      const left = new AbortController()
      reply.raw.once('close', () => left.abort())
      const { record, revision } = await rollBack(control, name, request.body.version)
      const { target } = record
      parts.logger.info({ event: 'rollback', ...name, version: target, requestId: request.id })
      const { rolloutDeadlineMs } = parts.bounds
      // Who was overtaken by another rollback, a release or a deletion need not wait for a rollout.
      const isOver = (now: ModelRecord, at: number) =>
        at >= revision && (now.serving === target || now.target !== target || !now.hold)
      await seen(parts, modelId(name), isOver, rolloutDeadlineMs, left.signal)
      return sendRollout(parts, reply, name.model, target)
    },
  )
  const releaseSchema = {
    summary: 'Lets newer versions serve again after a rollback',
    params: ModelParams,
    response: { ...rolledOut, ...problemsWithBody(404) },
  }
  const handleRelease = async (model: string, reply: FastifyReply) => {
    const name = of(model)
    const { record, revision } = await release(control, name)
    // What is seen without a hold may be of before the rollback.
    await seen(parts, modelId(name), (_now, at) => at >= revision)
    return sendRollout(parts, reply, name.model, record.serving)
  }
  server.delete('/models/:model/hold', { schema: releaseSchema }, (request, reply) =>
    handleRelease(request.params.model, reply),
  )
  server.post('/models/:model/release', { schema: releaseSchema }, (request, reply) =>
    handleRelease(request.params.model, reply),
  )
}

/** The model as this broker sees it or, before it is denied, as the coordinator has it. */
export async function findModel(parts: ApiParts, model: string): Promise<ModelRecord> {
  const of = { tenant: parts.tenant, model: readModelName(model) }
  const known = knownRecord(parts, model)
  if (known) return known
  const looked = await parts.lookup(of)
  if (looked.model !== null) {
    const { record, modRevision } = looked.model
    // What is told now must not be taken back by a watch that is behind.
    parts.router.adopt(modelId(of), record, modRevision)
    return knownRecord(parts, model) ?? record
  }
  const names = someNames(liveModels(parts))
  const exist = names === '' ? 'There are none yet.' : `There are: ${names}.`
  throw new Refused(404, 'no-such-model', `There is no model ${model}. ${exist}`, {
    field: 'model',
  })
}

/** As forecasts are routed by it: what a node or the coordinator said may be newer than a watch. */
function knownRecord({ router, tenant }: ApiParts, model: string): ModelRecord | undefined {
  return router.table().models.get(modelId({ tenant, model }))?.record
}

/** Names, in no order. */
function* liveModels(parts: ApiParts): Generator<string> {
  const prefix = `${parts.tenant}/`
  for (const [id, { value }] of parts.state().models)
    if (value.deletedAt === null && id.startsWith(prefix)) yield id.slice(prefix.length)
}

/** What was done is seen here too before it is told, so that the next request finds it so. */
async function seen(
  parts: ApiParts,
  id: string,
  holds: (record: ModelRecord, modRevision: number) => boolean,
  timeoutMs = parts.bounds.coordinatorCallMs,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const look = () => {
    const held = parts.state().models.get(id)
    return held && holds(held.value, held.modRevision) ? true : undefined
  }
  await parts.waiters.until(id, look, timeoutMs, signal)
}

function sendRollout(parts: ApiParts, reply: FastifyReply, model: string, wanted: number | null) {
  const record = knownRecord(parts, model)
  const { serving = null, target = null, hold = false } = record ?? {}
  return reply.code(serving === wanted ? 200 : 202).send({ model, serving, target, hold })
}
