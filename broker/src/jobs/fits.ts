import type { AnySpec } from '@almanac/engine'
import {
  isRegression,
  type JobRecord,
  type Logger,
  type ModelName,
  modelId,
  Refused,
  type Store,
} from '@almanac/shared'
import type { StoredRegression } from '@almanac/tables/regress'
import type { Bounds } from '../config/bounds.ts'
import {
  type Allocated,
  type AllocateParts,
  allocate,
  BaseMoved,
  bothOf,
  type FitRequest,
  findEarlier,
  type Idempotency,
} from './allocate.ts'
import { findBase } from './base.ts'
import { contention } from './contention.ts'
import { type DataAfterParts, dataAfter } from './data-after.ts'
import type { News } from './news.ts'
import { refitOf } from './refit.ts'
import { retryOf } from './retry.ts'
import { type FitData, storeData } from './store-data.ts'

type Input = {
  readonly of: ModelName
  readonly requestId: string
  readonly idempotency: Idempotency | null
  /** See `FitRequest`. */
  readonly why?: string | undefined
  readonly also?: FitRequest['also']
}

type FitInput = Input & {
  readonly data: FitData
  readonly spec: AnySpec | StoredRegression
  /** Of its forecasts; absent: none. */
  readonly bounds?: FitRequest['bounds']
}

type RefitInput = Input & {
  /** Files that users bring. */
  readonly mustHaveFile: (file: string) => Promise<void>
}

type RetryInput = Omit<Input, 'of'> & {
  /** That failed. */
  readonly job: JobRecord
}

type ObservationsInput = Input & {
  readonly news: News
  /** The version to go on from; null: the newest. */
  readonly base: number | null
}

export type Fits = {
  /** Stores the data and makes the fit durable; see `allocate` for what it throws. */
  readonly begin: (input: FitInput) => Promise<Allocated>
  /**
   * Stores new observations and makes the version that has them durable. Throws what `allocate`,
   * `findBase` and `dataAfter` do.
   */
  readonly add: (input: ObservationsInput) => Promise<Allocated>
  /** The same again, as a new version; throws what `retryOf` and `allocate` do. */
  readonly retry: (input: RetryInput) => Promise<Allocated>
  /**
   * Fits what serves again with its spec: its table, read anew, or its data. Throws what `refitOf`
   * and `allocate` do.
   */
  readonly refit: (input: RefitInput) => Promise<Allocated>
}

export type FitsParts = AllocateParts &
  DataAfterParts & {
    readonly store: Store
    readonly bounds: AllocateParts['bounds'] & Bounds
    readonly logger: Logger
    readonly onAccepted: (job: string) => void
    /** An id that was never used, for a blob or a job. */
    readonly mintId: () => string
  }

/** A data set is written within this; a million observations are some 10 MB. */
const datasetMs = 20_000

export function createFits(parts: FitsParts): Fits {
  const { coordinator, store, bounds, logger } = parts
  /** Fits of one model are allocated one after another: they would only fail each other. */
  const lines = new Map<string, Promise<unknown>>()

  const inLine = <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const before = lines.get(id) ?? Promise.resolve()
    const mine = before.then(work, work)
    lines.set(id, mine)
    const leave = () => {
      if (lines.get(id) === mine) lines.delete(id)
    }
    mine.then(leave, leave)
    return mine
  }
  /** Both must be there before megabytes are sent; the one read also finds a repeated request. */
  const look = async (input: Input) => {
    const deadline = AbortSignal.timeout(bounds.fitLookMs)
    const [earlier] = await Promise.all([
      findEarlier(parts, input.of.tenant, input.idempotency, deadline),
      coordinator.clusterId(deadline),
      store.ping(deadline),
    ])
    return earlier
  }
  const make = async (
    input: Input,
    data: FitData,
    what: Pick<FitRequest, 'spec' | 'bounds' | 'base' | 'calendar' | 'allUpTo' | 'also'>,
  ) => {
    const label = modelId(input.of)
    const stored = await storeData(parts, label, data, AbortSignal.timeout(datasetMs))
    return await makeOf(input, { ...stored, ...what })
  }
  /** Of data that is in the store. */
  const makeOf = async (
    { of, requestId, idempotency, ...given }: Input,
    what: Omit<FitRequest, 'of' | 'job' | 'requestId' | 'idempotency'>,
  ) => {
    const why = given.why ?? what.why
    const also = bothOf(given.also, what.also)
    const request = { ...what, of, job: parts.mintId(), requestId, idempotency, why, also }
    const allocated = await inLine(modelId(of), () => allocate(parts, request))
    const { version, isNew } = allocated
    logger.info({ event: 'fit-accepted', ...of, version, job: allocated.job, requestId, isNew })
    if (isNew) parts.onAccepted(allocated.job)
    return allocated
  }
  const addOnce = async (input: ObservationsInput) => {
    const { of } = input
    const deadline = AbortSignal.timeout(bounds.fitLookMs)
    const base = await findBase(parts, of, input.base, deadline)
    if (isRegression(base.record.spec)) throw noSeries(of, base.record.version)
    const { data, calendar } = await dataAfter(parts, of, base, input.news)
    const { spec, bounds: within } = base.record
    return await make(input, data, { spec, bounds: within, base, calendar })
  }
  /** Others may move what it goes on from, while it is looked at. */
  const untilSettled = async (input: Input, make: () => Promise<Allocated>) => {
    for (let tries = 1; ; tries += 1) {
      const earlier = await look(input)
      if (earlier) return earlier
      try {
        return await make()
      } catch (error) {
        if (!(error instanceof BaseMoved)) throw error
        if (tries >= baseTriesMax) throw contention(`the versions of ${input.of.model}`)
      }
    }
  }
  return {
    begin: async (input) => {
      const earlier = await look(input)
      if (earlier) return earlier
      const { data, spec, bounds: within } = input
      return await make(input, data, { spec, bounds: within, base: null })
    },
    add: (input) => untilSettled(input, () => addOnce(input)),
    retry: ({ job, ...input }) => {
      const { tenant, model } = job.subject
      const again = { ...input, of: { tenant, model } }
      return untilSettled(again, async () => makeOf(again, await retryOf(parts, job)))
    },
    refit: ({ mustHaveFile, ...input }) =>
      untilSettled(input, async () => {
        const { stored, fresh, ...what } = await refitOf(parts, input.of)
        if (stored) return await makeOf(input, { ...stored, ...what, base: null })
        if (fresh.kind === 'table') await mustHaveFile(fresh.file)
        return await make(input, fresh, { ...what, base: null })
      }),
  }
}

function noSeries({ model }: ModelName, version: number): Refused {
  const detail = `Version ${version} of ${model} predicts rows, and has no series to add to.`
  return new Refused(422, 'a-regression', detail, {
    remedy: 'Fit it again to a table that has the new rows: POST /api/models/{model}/fit.',
  })
}

const baseTriesMax = 3
