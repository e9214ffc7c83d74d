import type { AnySpec } from '@almanac/engine'
import {
  absent,
  type BacktestSettings,
  type Comparison,
  codec,
  codecs,
  encodeBacktestInput,
  type JobRecord,
  jobKey,
  type Logger,
  limits,
  type ModelName,
  modelId,
  modifiedAt,
  type Operation,
  put,
  Refused,
  RequestRecord,
  requestKey,
  type Store,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import {
  type Allocated,
  type AllocateParts,
  BaseMoved,
  type FitRequest,
  findEarlier,
  type Idempotency,
  transactOnce,
} from './allocate.ts'
import { dataOfVersion, type VersionData } from './backtest-data.ts'
import { contention } from './contention.ts'

type BacktestAsked = {
  readonly of: ModelName
  readonly version: number
  /** Null: that of the version. */
  readonly spec: AnySpec | null
  readonly settings: BacktestSettings
  readonly requestId: string
  readonly idempotency: Idempotency | null
  /** As those of a `FitRequest`. */
  readonly why?: string
  readonly also?: FitRequest['also']
}

export type Backtests = {
  /** The job that this request made before under its `Idempotency-Key`, if it did. */
  readonly earlier: (
    of: ModelName,
    idempotency: Idempotency | null,
  ) => Promise<Allocated | undefined>
  /**
   * Makes a backtest durable. Throws `Refused` where the version or its data is not there, and what
   * `allocate` does.
   */
  readonly begin: (asked: BacktestAsked) => Promise<Allocated>
}

export type BacktestsParts = AllocateParts & {
  readonly store: Store
  readonly bounds: AllocateParts['bounds'] & Bounds
  readonly logger: Logger
  readonly onAccepted: (job: string) => void
  /** An id that was never used, for a blob or a job. */
  readonly mintId: () => string
}

const requests = codec(RequestRecord)

export function createBacktests(parts: BacktestsParts): Backtests {
  const { coordinator, bounds, logger } = parts
  const deadline = () => AbortSignal.timeout(bounds.coordinatorCallMs)
  const tryOnce = async (asked: BacktestAsked): Promise<Allocated | undefined> => {
    const { of, version, idempotency, requestId } = asked
    const data = await dataOfVersion(parts, of, version)
    mustBeLongEnough(data, asked)
    const shards = data.shards.flatMap((shard) => partsOf(shard, data, asked))
    const input = await storeInput(parts, asked, { ...data, shards })
    const job = jobRecord(parts, asked, shards.length, input)
    const when: Comparison[] = [absent(jobKey(job.id)), ...data.when]
    const then: Operation[] = [put(jobKey(job.id), codecs.job.encode(job))]
    if (idempotency) {
      const key = requestKey(of.tenant, idempotency.hash)
      const before = await coordinator.get(key, deadline())
      const made = { job: job.id, model: of.model, version, body: idempotency.body }
      when.push(modifiedAt(key, before?.modRevision ?? 0))
      then.push(put(key, requests.encode({ ...made, createdAt: job.createdAt } as RequestRecord)))
    }
    const also = asked.also?.({ job: job.id, version, at: job.createdAt })
    const revision = await transactOnce(parts, job.id, {
      when: [...when, ...(also?.when ?? [])],
      then: [...then, ...(also?.then ?? [])],
    })
    if (revision === undefined && also) throw new BaseMoved()
    if (revision === undefined) return undefined
    logger.info({ event: 'backtest-accepted', ...of, version, job: job.id, requestId })
    parts.onAccepted(job.id)
    return { job: job.id, version, isNew: true, revision }
  }
  const earlier = (of: ModelName, idempotency: Idempotency | null) =>
    findEarlier(parts, of.tenant, idempotency, deadline())
  return {
    earlier,
    begin: async (asked) => {
      // A version changes only a few times, and then not again.
      for (let tries = 1; tries <= triesMax; tries += 1) {
        const made = (await earlier(asked.of, asked.idempotency)) ?? (await tryOnce(asked))
        if (made) return made
      }
      throw contention(`the versions of ${asked.of.model}`)
    },
  }
}

const triesMax = 3

/** Of one series it is known before anything is begun; of many each is told by its code. */
function mustBeLongEnough(
  { kind, steps, version }: VersionData,
  { settings }: BacktestAsked,
): void {
  const { horizon, windows, step } = settings
  const held = horizon + (windows - 1) * step
  if (kind === 'many' || held < steps) return
  const detail = `Version ${version.version} has ${steps} observations; this backtest holds ${held} of them back.`
  throw new Refused(422, 'too-short', detail, {
    field: '/windows',
    remedy: 'Ask for fewer windows, a smaller step, or a shorter horizon.',
  })
}

/**
 * A fit at each origin is as many fits of a shard: cut into parts, none of them takes a node's
 * thread for much longer than a fit does, and others have their turn.
 */
function partsOf(
  shard: VersionData['shards'][number],
  { kind, shards }: VersionData,
  { settings: { mode, windows } }: BacktestAsked,
): VersionData['shards'] {
  const most = mode === 'update' || kind === 'one' ? 1 : windows
  const worth = Math.ceil(shard.series / limits.backtestPartSeries)
  const count = Math.max(1, Math.min(most, worth, Math.floor(limits.shardsMax / shards.length)))
  if (count === 1) return [shard]
  return Array.from({ length: count }, (_, at) => ({ ...shard, part: { at, of: count } }))
}

async function storeInput(
  { store, bounds, mintId }: BacktestsParts,
  { of, spec }: BacktestAsked,
  { kind, shards, version }: VersionData,
): Promise<string> {
  const known = { format: 1, kind, spec: spec ?? version.spec } as const
  const content = encodeBacktestInput({ ...known, shards: [...shards] })
  if (content.byteLength > limits.shardIndexBytesMax) {
    const detail = `Version ${version.version} of ${of.model} is made of too many updates of many series.`
    throw new Refused(422, 'too-many-updates', detail, {
      field: '/version',
      remedy: 'Fit the model again with all of its data, and judge that version.',
    })
  }
  const id = mintId()
  const signal = AbortSignal.timeout(bounds.storeCallMs * 2)
  await store.writeBlob({ kind: 'dataset', id, content, label: modelId(of) }, signal)
  return id
}

function jobRecord(
  { clock, mintId }: BacktestsParts,
  { of, version, settings, requestId, why }: BacktestAsked,
  shards: number,
  input: string,
): JobRecord {
  return {
    id: mintId(),
    kind: 'backtest',
    subject: { ...of, version },
    state: 'queued',
    attempts: 0,
    progress: { phase: 'queued', fraction: 0 },
    error: null,
    requestId,
    createdAt: clock.wallTime(),
    endedAt: null,
    shards,
    ...(why === undefined ? {} : { why }),
    backtest: { settings, input, result: null, scores: null },
  }
}
