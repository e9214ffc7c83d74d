import {
  limits,
  modelId,
  namePattern,
  Refused,
  type RetrainingRecord,
  type RetrainingRun,
  unreachable,
} from '@almanac/shared'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import {
  deleteRetraining,
  findRetraining,
  listRetrainings,
  putRetraining,
} from '../retraining/edit.ts'
import { judge, type Verdict } from '../retraining/judge.ts'
import { pageOf, readPage } from './pages.ts'
import type { ApiParts } from './parts.ts'
import { stateOf } from './present.ts'
import { readModelName } from './question.ts'
import {
  RemovedRetraining,
  RetrainingRequest,
  RetrainingsPage,
  RetrainingView,
} from './retraining-schemas.ts'
import { ModelParams, PageQuery, problems, problemsWithBody } from './schemas.ts'

/** `/api/models/:model/retraining`: from which live accuracy on a model is fitted again. */
export function addRetrainingRoutes(instance: FastifyInstance, parts: ApiParts): void {
  const server = instance.withTypeProvider<TypeBoxTypeProvider>()
  const of = (model: string) => ({ tenant: parts.tenant, model: readModelName(model) })
  server.get(
    '/retraining',
    {
      schema: {
        summary: 'The rules of retraining, by model',
        querystring: PageQuery,
        response: { 200: RetrainingsPage, ...problems(400) },
      },
    },
    async (request) => {
      const page = readPage(request.query, new RegExp(namePattern))
      const { items, next } = pageOf(
        await listRetrainings(parts, parts.tenant),
        ({ model }) => model,
        (id, after) => id > after,
        page,
      )
      const retraining = items.flatMap(({ model, read }) => {
        const record = read()
        return record ? [present(parts, model, record)] : []
      })
      return { retraining, next }
    },
  )
  server.get(
    '/models/:model/retraining',
    {
      schema: {
        summary: 'When a model is fitted again by itself, how it stands, and what was done',
        params: ModelParams,
        response: { 200: RetrainingView, ...problems(400, 404, 409) },
      },
    },
    async (request) => {
      const { model } = request.params
      const held = await findRetraining(parts, of(model))
      if (held === undefined) throw noRule(model)
      return present(parts, model, held.record)
    },
  )
  server.put(
    '/models/:model/retraining',
    {
      schema: {
        summary: 'Has a model fitted again when its live accuracy decays, or changes when',
        params: ModelParams,
        body: RetrainingRequest,
        response: { 200: RetrainingView, 201: RetrainingView, ...problemsWithBody(404) },
      },
    },
    async (request, reply) => {
      const { model } = request.params
      const now = parts.clock.wallTime()
      const { record, isNew } = await putRetraining(parts, of(model), read(request.body), now)
      parts.logger.info({ event: 'retraining-put', model, requestId: request.id })
      return await reply.code(isNew ? 201 : 200).send(present(parts, model, record))
    },
  )
  server.delete(
    '/models/:model/retraining',
    {
      schema: {
        summary: 'Leaves a model as it is; what was begun goes on',
        params: ModelParams,
        response: { 200: RemovedRetraining, ...problemsWithBody(404) },
      },
    },
    async (request) => {
      const { model } = request.params
      if (!(await deleteRetraining(parts, of(model)))) throw noRule(model)
      parts.logger.info({ event: 'retraining-deleted', model, requestId: request.id })
      return { model }
    },
  )
}

function read(body: Static<typeof RetrainingRequest>) {
  const {
    liveMase,
    observations = limits.retrainingObservations,
    restSeconds = limits.retrainingRestSeconds,
    enabled = true,
  } = body
  return { liveMase, observations, restSeconds, enabled }
}

function present(
  parts: ApiParts,
  model: string,
  record: RetrainingRecord,
): Static<typeof RetrainingView> {
  const of = { tenant: parts.tenant, model }
  const now = Date.parse(parts.clock.wallTime())
  const verdict = judge(parts.state(), of, record, now, parts.bounds)
  const { liveMase, observations, restSeconds, enabled, createdAt, changedAt } = record
  const window = verdict.kind === 'due' ? verdict.judged.window : verdict.window
  return {
    ...{ model, liveMase, observations, restSeconds, enabled },
    state: verdict.kind,
    detail: detailOf(verdict, record),
    window: window && {
      liveMase: window.liveMase,
      observations: window.observations,
      since: window.since,
    },
    restsUntil: verdict.kind === 'resting' ? verdict.until : null,
    runs: record.runs.map((run) => presentRun(parts, model, run)),
    ...{ createdAt, changedAt },
  }
}

function detailOf(verdict: Verdict, { observations, liveMase }: RetrainingRecord): string {
  const most = verdict.kind === 'below' || verdict.kind === 'too-few' ? verdict.window?.most : null
  if (typeof most === 'number' && liveMase >= most)
    return `The limit is never passed: of many series live accuracy is ${most} at most.`
  switch (verdict.kind) {
    case 'off':
      return 'The rule is off.'
    case 'no-version':
      return 'The model has no version that was fitted.'
    case 'held':
      return 'The model was rolled back: nothing is begun until it is released.'
    case 'open':
      return 'Its newest version is not fitted yet.'
    case 'too-few': {
      const there = verdict.window?.observations ?? 0
      return `Updates have brought ${there} of ${observations} observations since the last fit.`
    }
    case 'below':
      return 'Its live accuracy is within the limit.'
    case 'acted':
      return 'Past the limit, and acted on: see the last run. The next update is judged anew.'
    case 'resting':
      return `Past the limit; it rests until ${verdict.until}.`
    case 'due':
      return 'Past the limit: a fit is about to begin.'
    default:
      return unreachable(verdict)
  }
}

function presentRun(parts: ApiParts, model: string, run: RetrainingRun) {
  const { at, outcome, judged, liveMase, observations, limit } = run
  const { job, version, reason, detail, times } = run
  const state = version === undefined ? undefined : stateOfMade(parts, model, version)
  const more = Object.entries({ job, version, state, reason, detail, times })
  return {
    ...{ at, outcome, judged, liveMase, observations, limit },
    ...Object.fromEntries(more.filter(([, value]) => value !== undefined)),
  }
}

/** Undefined where it is not seen here, or is not kept in the coordinator any more. */
function stateOfMade(parts: ApiParts, model: string, version: number): string | undefined {
  const id = modelId({ tenant: parts.tenant, model })
  const state = parts.state()
  const made = state.versions.get(id)?.get(version)?.value
  return made && stateOf(state.models.get(id)?.value, made, parts.log().served(id, version))
}

function noRule(model: string): Refused {
  return new Refused(404, 'no-such-rule', `${model} has no rule of retraining.`, {
    field: 'model',
    remedy: 'Make one: PUT /api/models/{model}/retraining {"liveMase": 1.5}.',
  })
}
