import { namePattern, Refused, type ScheduleRecord, type ScheduleRun } from '@almanac/shared'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { BaseMoved } from '../jobs/allocate.ts'
import { contention } from '../jobs/contention.ts'
import { askOfVersion } from '../routing/ask.ts'
import { type ActionParts, readAction } from '../schedules/actions.ts'
import { instantsOf } from '../schedules/cron.ts'
import {
  type Asked,
  deleteSchedule,
  findSchedule,
  listSchedules,
  putSchedule,
} from '../schedules/edit.ts'
import { beginRun, lastIsOpen, type Occasion } from '../schedules/run.ts'
import { countRun } from '../server/metrics.ts'
import { answerWhenMade } from './fit-answer.ts'
import { mustHaveFile } from './must-have-file.ts'
import { pageOf, readPage } from './pages.ts'
import type { ApiParts } from './parts.ts'
import { courseOfFile, type FileCourseParts } from './predictions/files.ts'
import {
  RemovedSchedule,
  ScheduleParams,
  ScheduleRequest,
  SchedulesPage,
  ScheduleView,
} from './schedule-schemas.ts'
import { FitAnswer, PageQuery, problems, problemsWithBody } from './schemas.ts'

/** `/api/schedules`: what is begun by itself, when, and what came of it. */
export function addScheduleRoutes(instance: FastifyInstance, parts: ApiParts): void {
  const server = instance.withTypeProvider<TypeBoxTypeProvider>()
  const of = (name: string) => ({ tenant: parts.tenant, name })
  server.get(
    '/schedules',
    {
      schema: {
        summary: 'The schedules, by name',
        querystring: PageQuery,
        response: { 200: SchedulesPage, ...problems(400) },
      },
    },
    async (request) => {
      const all = await listSchedules(parts, parts.tenant)
      const page = readPage(request.query, new RegExp(namePattern))
      const { items, next } = pageOf(
        all,
        (held) => held.of.name,
        (id, after) => id > after,
        page,
      )
      return { schedules: items.map((held) => present(held.of.name, held.record)), next }
    },
  )
  server.get(
    '/schedules/:name',
    {
      schema: {
        summary: 'One schedule, its next instant and its last runs',
        params: ScheduleParams,
        response: { 200: ScheduleView, ...problems(400, 404, 409) },
      },
    },
    async (request) => {
      const { name } = request.params
      const held = await findSchedule(parts, of(name))
      if (held === undefined) throw noSuch(name)
      return present(name, held.record)
    },
  )
  server.put(
    '/schedules/:name',
    {
      schema: {
        summary: 'Makes a schedule, or changes it',
        params: ScheduleParams,
        body: ScheduleRequest,
        response: { 200: ScheduleView, 201: ScheduleView, ...problemsWithBody(409, 422) },
      },
    },
    async (request, reply) => {
      const { name } = request.params
      const asked = await read(parts, request.body)
      const { record, isNew } = await putSchedule(parts, of(name), asked, parts.clock.wallTime())
      parts.logger.info({ event: 'schedule-put', schedule: name, requestId: request.id })
      return await reply.code(isNew ? 201 : 200).send(present(name, record))
    },
  )
  server.delete(
    '/schedules/:name',
    {
      schema: {
        summary: 'Removes a schedule; what it has begun goes on',
        params: ScheduleParams,
        response: { 200: RemovedSchedule, ...problemsWithBody(404) },
      },
    },
    async (request) => {
      const { name } = request.params
      if (!(await deleteSchedule(parts, of(name)))) throw noSuch(name)
      parts.logger.info({ event: 'schedule-deleted', schedule: name, requestId: request.id })
      return { name }
    },
  )
  addRun(instance, parts)
}

function addRun(instance: FastifyInstance, parts: ApiParts): void {
  const server = instance.withTypeProvider<TypeBoxTypeProvider>()
  server.post(
    '/schedules/:name/run',
    {
      schema: {
        summary: 'Begins what a schedule is for, now',
        params: ScheduleParams,
        response: { 200: FitAnswer, 202: FitAnswer, ...problemsWithBody(404, 409, 410, 422) },
      },
    },
    (request, reply) =>
      answerWhenMade(parts, request, reply, async () => {
        const { name } = request.params
        const { tenant } = parts
        const held = await findSchedule(parts, { tenant, name })
        if (held === undefined) throw noSuch(name)
        const runParts = { ...parts, actions: actionParts(parts), onRun: countRun(parts.metrics) }
        if (await lastIsOpen(runParts, held.record)) throw stillRuns(name, held.record)
        const occasion: Occasion = {
          ...{ by: 'request', instant: parts.clock.wallTime(), missed: 0 },
          ...{ requestId: request.id, when: [] },
        }
        const begun = await beginRun(runParts, held, occasion).catch((error) => {
          throw error instanceof BaseMoved ? contention(`schedule ${name}`) : error
        })
        const { name: kind, model } = readAction(held.record.action)
        return { of: { tenant, model }, ...begun, isVersion: kind === 'fit' || kind === 'refit' }
      }),
  )
}

/** What actions work with. */
export function actionParts(
  parts: Pick<
    ApiParts,
    'fits' | 'bodies' | 'backtests' | 'filePredictions' | keyof FileCourseParts
  >,
): ActionParts {
  const { fits, bodies, backtests, forecaster, bounds } = parts
  return {
    ...{ fits, bodies, backtests },
    mustHaveFile: (file) => mustHaveFile(parts, file),
    versionOf: async (of, version, requestId) => {
      const signal = AbortSignal.timeout(bounds.nodeWaitMs)
      return await forecaster.version(askOfVersion(of, version), requestId, signal)
    },
    predictFile: async (of, { version, ...asked }, beginning) => {
      const signal = AbortSignal.timeout(bounds.nodeWaitMs)
      const { requestId } = beginning
      const course = await courseOfFile(parts, of, { version }, asked, requestId, signal)
      return await parts.filePredictions.begin({ ...course, ...beginning, idempotency: null })
    },
  }
}

/** Throws a 400 or 422 that names the field. */
async function read(parts: ApiParts, body: Static<typeof ScheduleRequest>): Promise<Asked> {
  const { cron, timezone = 'UTC', action, enabled = true } = body
  const instants = instantsOf(cron, timezone)
  if (!instants.ok) {
    const { field, detail } = instants.fault
    const remedy =
      field === 'cron' ? 'Write it like 30 2 * * 1-5, or @daily.' : 'Write it like Europe/Berlin.'
    throw new Refused(400, field, detail, { field: `/${field}`, remedy })
  }
  const bytes = Buffer.byteLength(JSON.stringify(action ?? null))
  const { scheduleActionBytesMax } = parts.bounds
  if (bytes > scheduleActionBytesMax)
    throw new Refused(
      413,
      'too-large',
      `The action is ${bytes} bytes of JSON, more than ${scheduleActionBytesMax}.`,
      { field: '/action' },
    )
  await readAction(action).check(actionParts(parts))
  return { cron, timezone, action, enabled }
}

function present(name: string, record: ScheduleRecord): Static<typeof ScheduleView> {
  const { cron, timezone, action, enabled, until, createdAt, changedAt } = record
  const instants = instantsOf(cron, timezone)
  const next = enabled && instants.ok ? instants.value.after(Date.parse(until)) : undefined
  const runs = record.runs.map(presentRun)
  return {
    ...{ name, cron, timezone, action, enabled },
    next: next === undefined ? null : new Date(next).toISOString(),
    last: runs[0] ?? null,
    ...{ runs, createdAt, changedAt },
  }
}

function presentRun(run: ScheduleRun): Static<typeof ScheduleView>['runs'][number] {
  const { instant, at, outcome, by, job, model, version, reason, detail, missed } = run
  const all = { instant, at, outcome, by, job, model, version, reason, detail, missed }
  const known = Object.entries(all).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known) as Static<typeof ScheduleView>['runs'][number]
}

function stillRuns(name: string, { job }: ScheduleRecord): Refused {
  const detail = `Job ${job}, which schedule ${name} began, is not finished.`
  return new Refused(409, 'still-running', detail, {
    retryAfterSeconds: 1,
    remedy: 'Wait for its end, or cancel it: POST /api/jobs/{id}/cancel.',
  })
}

function noSuch(name: string): Refused {
  return new Refused(404, 'no-such-schedule', `There is no schedule ${name}.`, {
    field: 'name',
    remedy: 'GET /api/schedules lists those that there are.',
  })
}
