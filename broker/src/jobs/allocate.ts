import { createHash } from 'node:crypto'
import {
  absent,
  assert,
  backoffMs,
  type Clock,
  type Codec,
  type Comparison,
  type Coordinator,
  CounterRecord,
  codec,
  codecs,
  counterKey,
  createdAt,
  type Entry,
  eventOf,
  isRegression,
  type JobRecord,
  jobKey,
  type ModelName,
  type ModelRecord,
  modelKey,
  modifiedAt,
  type Operation,
  put,
  type Random,
  Refused,
  RequestRecord,
  requestKey,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import type { Base } from './base.ts'
import { contention } from './contention.ts'
import { unheard } from './unheard.ts'
import { mustDecode } from './unreadable.ts'

export type FitRequest = {
  readonly of: ModelName
  /** Unique: what a lost answer is read back by. */
  readonly job: string
  readonly spec: unknown
  /** Of its forecasts; absent: none. */
  readonly bounds?: VersionRecord['bounds'] | undefined
  readonly dataset: VersionRecord['dataset']
  /** How many series there are, in how many shards; absent where it is one series. */
  readonly many?: { readonly series: number; readonly shards: number }
  /** Absent where the data itself was given. */
  readonly table?: VersionRecord['table'] | undefined
  /** Of many series whose data came in parts, which a node joins first. */
  readonly parts?: VersionRecord['parts'] | undefined
  /** Of all data that the model has: the version that had it. */
  readonly allUpTo?: number | undefined
  /** What the data goes on from, and the calendar with it; null: it is all there is. */
  readonly base: Base | null
  readonly calendar?: VersionRecord['calendar'] | undefined
  readonly requestId: string
  readonly idempotency: Idempotency | null
  /** Unless it follows from the data: a table whose series are made already is in shards. */
  readonly kind?: JobRecord['kind'] | undefined
  /** For people: why it was begun, where nobody asked for it by itself. */
  readonly why?: string | undefined
  /** What else has to hold, and is done, in the same transaction. Where it does not: `BaseMoved`. */
  readonly also?: ((made: Made) => Also) | undefined
}

/** The fit that a transaction is about to make. */
type Made = { readonly job: string; readonly version: number; readonly at: string }

type Also = {
  readonly when: readonly Comparison[]
  readonly then: readonly Operation[]
}

/** Both of them, or the one that there is. */
export function bothOf(one: FitRequest['also'], other: FitRequest['also']): FitRequest['also'] {
  if (one === undefined || other === undefined) return one ?? other
  return (made) => {
    const [a, b] = [one(made), other(made)]
    return { when: [...a.when, ...b.when], then: [...a.then, ...b.then] }
  }
}

export type Idempotency = {
  /** SHA-256 of the `Idempotency-Key`. */
  readonly hash: string
  /** SHA-256 of what the request asks for. */
  readonly body: string
}

/** The fit that a request led to: its own, or the one that its `Idempotency-Key` made before. */
export type Allocated = {
  readonly job: string
  readonly version: number
  readonly isNew: boolean
  /** Since when it is recorded: what is seen at an older one does not know of it. */
  readonly revision: number
}

/** What it goes on from is not any more what it was when it was found: another may be due. */
export class BaseMoved extends Error {
  override name = 'BaseMoved'
}

export type AllocateParts = {
  readonly coordinator: Coordinator
  readonly clock: Clock
  readonly random: Random
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'contentionTriesMax' | 'idempotencyKeyMs'>
}

const counters = codec(CounterRecord)
const requests = codec(RequestRecord)

export const sha256Of = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/**
 * Makes a fit durable: counter, version, job and `Idempotency-Key` in one transaction. From then on
 * it cannot be lost. Throws `Refused` when the key was used for something else or when nobody can
 * say whether the fit was made, `BaseMoved` and `Unavailable` when nothing was.
 */
export async function allocate(parts: AllocateParts, request: FitRequest): Promise<Allocated> {
  const { bounds, clock, random } = parts
  for (let tries = 1; tries <= bounds.contentionTriesMax; tries += 1) {
    const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
    const earlier = await findEarlier(parts, request.of.tenant, request.idempotency, signal)
    if (earlier) return earlier
    const read = await readName(parts, request, signal)
    const { version, when, then } = planOf(parts, request, read)
    const revision = await transactOnce(parts, request.job, { when, then })
    if (revision !== undefined) return { job: request.job, version, isNew: true, revision }
    if (request.base !== null || request.also) throw new BaseMoved()
    await clock.sleep(backoffMs(tries, 5, 200, random), AbortSignal.timeout(5_000))
  }
  throw contention(`the fits of ${request.of.model}`)
}

/** The fit that this key made before, if it was for the same. */
export async function findEarlier(
  { coordinator, clock, bounds }: AllocateParts,
  tenant: string,
  idempotency: Idempotency | null,
  signal: AbortSignal,
): Promise<Allocated | undefined> {
  if (idempotency === null) return undefined
  const entry = await coordinator.get(requestKey(tenant, idempotency.hash), signal)
  const record = entry && decoded(requests, entry)
  if (record === undefined || isExpired(record, clock.wallTime(), bounds)) return undefined
  if (entry !== undefined && record.body === idempotency.body) {
    const { job, version } = record
    return { job, version, isNew: false, revision: entry.modRevision }
  }
  const detail = 'This Idempotency-Key was used for another request before.'
  throw new Refused(422, 'idempotency-key-reused', detail, {
    field: 'idempotency-key',
    remedy: 'Send a new key with each new request.',
  })
}

/** Wall time, since it is compared across processes; hours do not matter here. */
export function isExpired(
  record: RequestRecord,
  now: string,
  { idempotencyKeyMs }: Pick<Bounds, 'idempotencyKeyMs'>,
): boolean {
  const { createdAt: at } = record as { createdAt?: unknown }
  return typeof at === 'string' && Date.parse(now) - Date.parse(at) > idempotencyKeyMs
}

type Read = {
  readonly counter: Entry | undefined
  readonly model: Entry | undefined
  readonly request: Entry | undefined
}

async function readName(
  { coordinator }: AllocateParts,
  { of, idempotency }: FitRequest,
  signal: AbortSignal,
): Promise<Read> {
  const key = idempotency && requestKey(of.tenant, idempotency.hash)
  const [counter, model, request] = await Promise.all([
    coordinator.get(counterKey(of), signal),
    coordinator.get(modelKey(of), signal),
    key ? coordinator.get(key, signal) : undefined,
  ])
  return { counter, model, request }
}

function planOf(parts: AllocateParts, request: FitRequest, read: Read) {
  const { of, idempotency } = request
  const now = parts.clock.wallTime()
  const before = read.counter && mustDecode(counters, read.counter)
  const last = before?.last ?? 0
  const version = last + 1
  const plan = modelPlan(of, read.model, last, now)
  const { base } = request
  if (base !== null && (!plan.isLive || (base.last ?? last) !== last)) throw new BaseMoved()
  const when: Comparison[] = [
    modifiedAt(counterKey(of), read.counter?.modRevision ?? 0),
    plan.when,
    absent(versionKey(of, version)),
    absent(jobKey(request.job)),
    ...(base === null ? [] : [sameBase(of, base)]),
  ]
  const then: Operation[] = [
    put(counterKey(of), counters.encode({ ...before, last: version })),
    ...plan.then,
    put(versionKey(of, version), codecs.version.encode(versionRecord(request, version, now))),
    put(jobKey(request.job), codecs.job.encode(jobRecord(request, version, now))),
  ]
  const also = request.also?.({ job: request.job, version, at: now })
  when.push(...(also?.when ?? []))
  then.push(...(also?.then ?? []))
  if (idempotency) {
    const key = requestKey(of.tenant, idempotency.hash)
    const { model } = of
    const made = { job: request.job, model, version, body: idempotency.body, createdAt: now }
    when.push(modifiedAt(key, read.request?.modRevision ?? 0))
    then.push(put(key, requests.encode(made)))
  }
  return { version, when, then }
}

/** That it did not fail meanwhile, nor go. */
function sameBase(of: ModelName, { record, modRevision }: Base): Comparison {
  return modifiedAt(versionKey(of, record.version), modRevision)
}

/**
 * A live model is only compared as being the same one, so that rollouts do not make allocation
 * fail; its deletion changes the counter. What was deleted, or never was, is made.
 */
function modelPlan(
  of: ModelName,
  entry: Entry | undefined,
  last: number,
  now: string,
): {
  readonly when: Comparison
  readonly then: readonly Operation[]
  readonly isLive: boolean
} {
  const key = modelKey(of)
  const record = entry && mustDecode(codecs.model, entry)
  if (entry && record?.deletedAt === null)
    return { when: createdAt(key, entry.createRevision), then: [], isLive: true }
  const fresh: ModelRecord = {
    ...record,
    serving: null,
    target: null,
    previous: null,
    high: last,
    hold: false,
    changes: record?.changes ?? 0,
    floor: last,
    why: 'fit',
    createdAt: now,
    deletedAt: null,
  }
  return {
    when: modifiedAt(key, entry?.modRevision ?? 0),
    then: [put(key, codecs.model.encode(fresh))],
    isLive: false,
  }
}

function versionRecord(request: FitRequest, version: number, now: string): VersionRecord {
  return {
    version,
    state: 'queued',
    job: request.job,
    spec: request.spec,
    ...(request.bounds ? { bounds: request.bounds } : {}),
    dataset: request.dataset,
    ...(request.many ? { series: request.many.series } : {}),
    ...(request.table ? { table: request.table } : {}),
    ...(request.parts ? { parts: request.parts } : {}),
    ...(request.allUpTo === undefined ? {} : { allUpTo: request.allUpTo }),
    ...baseOf(request),
    ...(request.why === undefined ? {} : { why: request.why }),
    blob: null,
    sha256: null,
    sizeBytes: null,
    error: null,
    metrics: {},
    times: { createdAt: now, fittingAt: null, storedAt: null, failedAt: null },
  }
}

type Carried = Pick<VersionRecord, 'base' | 'calendar' | 'accuracy'>

function baseOf({ base, calendar }: FitRequest): Carried {
  if (base === null) return {}
  const { version, blob, sha256, accuracy } = base.record
  assert(blob !== null && sha256 !== null, 'a base is stored')
  return {
    base: { version, blob, sha256 },
    ...(calendar ? { calendar } : {}),
    ...(accuracy ? { accuracy } : {}),
  }
}

function kindOf({ table, parts, many, base, spec }: FitRequest): JobRecord['kind'] {
  if (parts) return 'fit-parts'
  if (table) return isRegression(spec) ? 'fit-regression' : 'fit-table'
  if (many) return base ? 'update-shards' : 'fit-shards'
  return base ? 'update' : 'fit'
}

function jobRecord(request: FitRequest, version: number, now: string): JobRecord {
  const { of, job, many, requestId, why } = request
  return {
    id: job,
    kind: request.kind ?? kindOf(request),
    ...(many ? { shards: many.shards } : {}),
    subject: { ...of, version },
    state: 'queued',
    attempts: 0,
    progress: { phase: 'queued', fraction: 0 },
    error: null,
    requestId,
    createdAt: now,
    endedAt: null,
    ...(why === undefined ? {} : { why }),
    log: [queuedAs(of, version, now, why)],
  }
}

function queuedAs({ model }: ModelName, version: number, now: string, why: string | undefined) {
  const reason = why === undefined ? '' : ` ${why}`
  return eventOf(now, 'queued', `Queued as version ${version} of ${model}.${reason}`)
}

/**
 * The revision of the transaction, or undefined when it was refused. An outcome that got lost is
 * read back by the job, which nobody else makes.
 */
export async function transactOnce(
  { coordinator, bounds }: Pick<AllocateParts, 'coordinator' | 'bounds'>,
  job: string,
  transaction: { readonly when: readonly Comparison[]; readonly then: readonly Operation[] },
): Promise<number | undefined> {
  const deadline = () => AbortSignal.timeout(bounds.coordinatorCallMs)
  try {
    const { succeeded, revision } = await coordinator.transact(transaction, deadline())
    return succeeded ? revision : undefined
  } catch {
    const made = await coordinator.get(jobKey(job), deadline()).catch(() => undefined)
    if (made) return made.createRevision
    // What is not there now may still arrive: a request that was cut off can be late.
    throw unheard('Repeat it with the same Idempotency-Key, or look at the versions of the model.')
  }
}

function decoded<T>(values: Pick<Codec<T>, 'decode'>, entry: Entry): T | undefined {
  const result = values.decode(entry.value)
  return result.ok ? result.value : undefined
}
