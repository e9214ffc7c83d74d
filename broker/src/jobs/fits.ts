import type { AnySpec } from '@almanac/engine'
import { encodeDataset, type Logger, type ModelName, modelId, type Store } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import {
  type Allocated,
  type AllocateParts,
  allocate,
  BaseMoved,
  contention,
  type FitRequest,
  findEarlier,
  type Idempotency,
} from './allocate.ts'
import { findBase } from './base.ts'
import { continueAfter } from './continue.ts'

type Input = {
  readonly of: ModelName
  readonly requestId: string
  readonly idempotency: Idempotency | null
}

type FitInput = Input & {
  readonly dataset: Uint8Array
  readonly observations: number
  readonly spec: AnySpec
}

type ObservationsInput = Input & {
  readonly y: readonly (number | null)[]
  /** When the first of them was made; null: right after those of the base. */
  readonly start: string | null
  /** The version to go on from; null: the newest. */
  readonly base: number | null
}

export type Fits = {
  /** Stores the data and makes the fit durable; see `allocate` for what it throws. */
  readonly begin: (input: FitInput) => Promise<Allocated>
  /**
   * Stores new observations and makes the version that has them durable. Throws what `allocate`,
   * `findBase` and `continueAfter` do.
   */
  readonly add: (input: ObservationsInput) => Promise<Allocated>
}

export type FitsParts = AllocateParts & {
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
    { of, requestId, idempotency }: Input,
    content: Uint8Array,
    what: Pick<FitRequest, 'spec' | 'base' | 'calendar'> & { readonly observations: number },
  ) => {
    const [blob, job] = [parts.mintId(), parts.mintId()]
    const label = modelId(of)
    await store.writeBlob(
      { kind: 'dataset', id: blob, label, content },
      AbortSignal.timeout(datasetMs),
    )
    const { observations, ...rest } = what
    const dataset = { blob, observations }
    const request = { of, job, dataset, requestId, idempotency, ...rest }
    const allocated = await inLine(label, () => allocate(parts, request))
    const { version, isNew } = allocated
    logger.info({ event: 'fit-accepted', ...of, version, job: allocated.job, requestId, isNew })
    if (isNew) parts.onAccepted(allocated.job)
    return allocated
  }
  const addOnce = async (input: ObservationsInput) => {
    const { of } = input
    const deadline = AbortSignal.timeout(bounds.fitLookMs)
    const base = await findBase(parts, of, input.base, deadline)
    const { y, calendar } = continueAfter(base.record, input)
    const series = { key: null, start: null, frequency: null, y: [...y] }
    const content = encodeDataset({ format: 1, series: [series] })
    const { spec } = base.record
    return await make(input, content, { spec, base, calendar, observations: y.length })
  }
  return {
    begin: async (input) => {
      const earlier = await look(input)
      if (earlier) return earlier
      const { spec, observations } = input
      return await make(input, input.dataset, { spec, observations, base: null })
    },
    add: async (input) => {
      for (let tries = 1; ; tries += 1) {
        const earlier = await look(input)
        if (earlier) return earlier
        try {
          return await addOnce(input)
        } catch (error) {
          if (!(error instanceof BaseMoved)) throw error
          if (tries >= baseTriesMax) throw contention(input.of)
        }
      }
    },
  }
}

const baseTriesMax = 3
