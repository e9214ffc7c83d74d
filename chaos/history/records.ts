import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { request } from 'undici'

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const ModelSeen = Type.Object({
  model: Type.String(),
  serving: nullable(Type.Integer()),
  target: nullable(Type.Integer()),
  hold: Type.Boolean(),
})
const VersionSeen = Type.Object({
  version: Type.Integer(),
  state: Type.String(),
  job: Type.String(),
  error: nullable(
    Type.Object({ phase: Type.String(), reason: Type.String(), detail: Type.String() }),
  ),
})
const LogSeen = Type.Object({
  n: Type.Integer(),
  from: nullable(Type.Integer()),
  to: nullable(Type.Integer()),
  why: Type.String(),
})
const JobSeen = Type.Object({
  id: Type.String(),
  model: Type.String(),
  version: Type.Integer(),
  state: Type.String(),
  attempts: Type.Integer(),
})
export type VersionSeen = Static<typeof VersionSeen>
export type LogSeen = Static<typeof LogSeen>

/** What the cluster says of itself when all is over. */
export type Records = {
  readonly models: readonly Static<typeof ModelSeen>[]
  /** Of the models that exist, and only versions since their last creation; newest first. */
  readonly versions: ReadonlyMap<string, readonly VersionSeen[]>
  /** Whole, oldest first; of the models that exist. */
  readonly logs: ReadonlyMap<string, readonly LogSeen[]>
  readonly jobs: readonly Static<typeof JobSeen>[]
}

/** Reads everything about these models from one broker. Rejects when it does not answer well. */
export async function readRecords(
  broker: string,
  isOurs: (model: string) => boolean,
): Promise<Records> {
  const all = await listOf(broker, '/api/models', 'models', ModelSeen)
  const models = all.filter(({ model }) => isOurs(model))
  const versions = new Map<string, readonly VersionSeen[]>()
  const logs = new Map<string, readonly LogSeen[]>()
  for (const { model } of models) {
    const path = `/api/models/${model}`
    versions.set(model, await listOf(broker, `${path}/versions`, 'versions', VersionSeen))
    const log = await listOf(broker, `${path}/log`, 'log', LogSeen)
    logs.set(model, log.toReversed())
  }
  const jobs = await listOf(broker, '/api/jobs', 'jobs', JobSeen)
  return { models, versions, logs, jobs: jobs.filter(({ model }) => isOurs(model)) }
}

/** More than any run leaves behind: pages that never end are a fault of their own. */
const pagesMax = 2_000
const pageMs = 10_000

/** Every item of a list, page by page. */
async function listOf<T extends TSchema>(
  broker: string,
  path: string,
  name: string,
  schema: T,
): Promise<Static<T>[]> {
  const page = Type.Object({ [name]: Type.Array(schema), next: nullable(Type.String()) })
  const items: Static<T>[] = []
  let cursor: string | null = null
  for (let i = 0; i < pagesMax; i++) {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const url = `${broker}${path}?limit=100${query}`
    const { statusCode, body } = await request(url, { signal: AbortSignal.timeout(pageMs) })
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}: ${text.slice(0, 300)}`)
    const read: unknown = JSON.parse(text)
    if (!Value.Check(page, read))
      throw new Error(`${url} is not as promised: ${text.slice(0, 300)}`)
    const { next, [name]: some } = read as { next: string | null; [name: string]: unknown }
    items.push(...(some as Static<T>[]))
    if (next === null) return items
    cursor = next
  }
  throw new Error(`${path} has more than ${pagesMax} pages`)
}
