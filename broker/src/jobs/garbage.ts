import { setImmediate as otherWork } from 'node:timers/promises'
import {
  type Clock,
  type Coordinator,
  codec,
  codecs,
  collectGarbage,
  type Logger,
  modelsPrefix,
  modifiedAt,
  parseKey,
  RequestRecord,
  remove,
  requestsPrefix,
  type Store,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { isExpired } from './allocate.ts'

export type GarbageParts = {
  readonly coordinator: Coordinator
  readonly store: Store
  readonly clock: Pick<Clock, 'wallTime'>
  readonly bounds: Bounds
  readonly logger: Logger
}

/** Deletes what no version names, and forgets old `Idempotency-Key`s. Under a claim only. */
export async function sweepGarbage(parts: GarbageParts, signal: AbortSignal): Promise<void> {
  const { store, clock, bounds, logger } = parts
  const named = await readReferences(parts, signal)
  for (const kind of ['dataset', 'model'] as const) {
    const isReferenced = (id: string) => named.has(id)
    const collection = { store, kind, isReferenced, ageMs: bounds.garbageAgeMs, clock }
    const { scanned, deleted } = await collectGarbage(collection, signal)
    logger.info({ event: 'garbage-collected', kind, scanned, deleted })
  }
  await forgetRequests(parts, signal)
}

/**
 * The blobs that versions name, at one linearizable read. A version that cannot be read may name
 * any blob: then nothing is garbage.
 */
export async function readReferences(
  { coordinator, bounds }: Pick<GarbageParts, 'coordinator' | 'bounds'>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const timeout = AbortSignal.timeout(bounds.coordinatorCallMs * 10)
  const { entries } = await coordinator.list(modelsPrefix, AbortSignal.any([signal, timeout]))
  const named = new Set<string>()
  for (const [i, { key, value }] of entries.entries()) {
    if (i % readAtOnce === readAtOnce - 1) await otherWork()
    if (parseKey(key).kind !== 'version') continue
    const version = codecs.version.decode(value)
    if (!version.ok) throw new Error(`${key} cannot be read, so nothing is taken for garbage`)
    named.add(version.value.dataset.blob)
    if (version.value.blob !== null) named.add(version.value.blob)
    // It may be about to be read, though its own version is gone.
    if (version.value.base) named.add(version.value.base.blob)
  }
  return named
}

/** Some milliseconds of work: what is asked of the broker meanwhile does not wait for all of it. */
const readAtOnce = 200
const requests = codec(RequestRecord)

async function forgetRequests(parts: GarbageParts, signal: AbortSignal): Promise<void> {
  const { coordinator, clock, bounds } = parts
  const within = () => AbortSignal.any([signal, AbortSignal.timeout(bounds.coordinatorCallMs * 10)])
  const { entries } = await coordinator.list(requestsPrefix, within())
  const now = clock.wallTime()
  for (const { key, value, modRevision } of entries) {
    const record = requests.decode(value)
    if (!record.ok || !isExpired(record.value, now, bounds)) continue
    await coordinator.transact(
      { when: [modifiedAt(key, modRevision)], then: [remove(key)] },
      within(),
    )
  }
}
