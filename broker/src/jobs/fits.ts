import type { AnySpec } from '@almanac/engine'
import { type Logger, type ModelName, modelId, type Store } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import {
  type Allocated,
  type AllocateParts,
  allocate,
  findEarlier,
  type Idempotency,
} from './allocate.ts'

type FitInput = {
  readonly of: ModelName
  readonly dataset: Uint8Array
  readonly observations: number
  readonly spec: AnySpec
  readonly requestId: string
  readonly idempotency: Idempotency | null
}

export type Fits = {
  /** Stores the data and makes the fit durable; see `allocate` for what it throws. */
  readonly begin: (input: FitInput) => Promise<Allocated>
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
  const look = async (input: FitInput) => {
    const deadline = AbortSignal.timeout(bounds.fitLookMs)
    const [earlier] = await Promise.all([
      findEarlier(parts, input.of.tenant, input.idempotency, deadline),
      coordinator.clusterId(deadline),
      store.ping(deadline),
    ])
    return earlier
  }
  return {
    begin: async (input) => {
      const earlier = await look(input)
      if (earlier) return earlier
      const blob = parts.mintId()
      const label = modelId(input.of)
      await store.writeBlob(
        { kind: 'dataset', id: blob, label, content: input.dataset },
        AbortSignal.timeout(datasetMs),
      )
      const { of, spec, requestId, idempotency, observations } = input
      const job = parts.mintId()
      const dataset = { blob, observations }
      const request = { of, job, spec, dataset, requestId, idempotency }
      const allocated = await inLine(label, () => allocate(parts, request))
      const { version, isNew } = allocated
      logger.info({ event: 'fit-accepted', ...of, version, job: allocated.job, requestId, isNew })
      if (isNew) parts.onAccepted(allocated.job)
      return allocated
    },
  }
}
