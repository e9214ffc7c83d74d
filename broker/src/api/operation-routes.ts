import { codecs, type JobRecord, jobKey, nodeName, Refused } from '@almanac/shared'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { jobsOf } from '../jobs/archive.ts'
import { listJobs } from '../jobs/list-jobs.ts'
import { JobsQuery } from './job-schemas.ts'
import { pageOf, readPage } from './pages.ts'
import type { ApiParts } from './parts.ts'
import { presentJob, presentNode } from './present.ts'
import { JobParams, JobsPage, JobView, NodesPage, PageQuery, problems } from './schemas.ts'

const jobShape = /^[A-Za-z0-9._-]{1,64}$/

/** `/api/jobs` and `/api/nodes`: what is going on and who does it. */
export function addOperationRoutes(instance: FastifyInstance, parts: ApiParts): void {
  const server = instance.withTypeProvider<TypeBoxTypeProvider>()
  server.get(
    '/jobs',
    {
      schema: {
        summary: 'Jobs, newest first; those of a model, a kind or a state only, where asked',
        querystring: JobsQuery,
        response: { 200: JobsPage, ...problems(400) },
      },
    },
    async (request) => {
      const { model, kind, state, ...page } = request.query
      const isWanted = (job: JobRecord): job is JobRecord =>
        (model === undefined || job.subject.model === model) &&
        (kind === undefined || job.kind === kind) &&
        (state === undefined || job.state === state)
      const { items, next } = await listJobs(parts, readPage(page, jobShape), isWanted)
      return { jobs: items.map((job) => presentJob(parts.state(), job)), next }
    },
  )
  server.get(
    '/jobs/:id',
    {
      schema: {
        summary: 'State and progress of a job',
        params: JobParams,
        response: { 200: JobView, ...problems(400, 404) },
      },
    },
    async (request) => {
      const job = await findJob(parts, request.params.id)
      return presentJob(parts.state(), job)
    },
  )
  server.get(
    '/nodes',
    {
      schema: {
        summary: 'The nodes that are alive, and what they have loaded',
        querystring: PageQuery,
        response: { 200: NodesPage, ...problems(400) },
      },
    },
    async (request) => {
      const peers = new Map(parts.router.peers().map((peer) => [peer.name, peer]))
      const nowMs = parts.clock.monotonicMs()
      const all = [...parts.state().nodes.values()]
        .map(({ value }) => value)
        .sort((a, b) => (nodeName(a.ip, a.port) < nodeName(b.ip, b.port) ? -1 : 1))
      const nameOf = (node: { ip: string; port: number }) => nodeName(node.ip, node.port)
      const page = pageOf(all, nameOf, (id, cursor) => id > cursor, readPage(request.query))
      const nodes = page.items.map((node) =>
        presentNode(parts.state(), node, parts.tenant, peers.get(nameOf(node)), nowMs),
      )
      return { nodes, next: page.next }
    },
  )
}

/** From the view; from the coordinator when it is too new for it; from the store when it is old. */
export async function findJob(parts: ApiParts, id: string): Promise<JobRecord> {
  const known = parts.state().jobs.get(id)?.value
  if (known) return known
  const unknown = new Refused(404, 'no-such-job', `There is no job ${id.slice(0, 64)}.`, {
    field: 'id',
  })
  if (!jobShape.test(id)) throw unknown
  const { coordinator, store, bounds, tenant } = parts
  const entry = await coordinator.get(jobKey(id), AbortSignal.timeout(bounds.coordinatorCallMs))
  const record = { ...jobsOf(tenant), id }
  const text =
    entry?.value ?? (await store.getRecord(record, AbortSignal.timeout(bounds.storeCallMs)))?.value
  const job = text === undefined ? undefined : codecs.job.decode(text)
  if (job?.ok) return job.value
  throw unknown
}
