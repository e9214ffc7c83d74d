import type { Clock } from '@almanac/shared'
import {
  type Coordinator,
  CounterRecord,
  codec,
  codecs,
  counterKey,
  type ModelName,
  type ModelRecord,
  modelId,
  modelKey,
  Unavailable,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'

/** What a linearizable read says about a model; null: it is not there. */
type Looked = {
  readonly model: { readonly record: ModelRecord; readonly modRevision: number } | null
  /** The last version allocated under this name; 0: none ever. */
  readonly lastVersion: number
}

export type Lookup = (of: ModelName) => Promise<Looked>

const counters = codec(CounterRecord)
const rememberedMax = 10_000

/**
 * One look at the coordinator before a 404: a broker whose watch is behind must not deny what
 * exists. Those who ask together share it, and for a moment it is remembered, so that a stream of
 * wrong names is no load on the coordinator.
 */
export function createLookup(
  coordinator: Coordinator,
  clock: Pick<Clock, 'monotonicMs'>,
  bounds: Pick<Bounds, 'unknownModelMs' | 'coordinatorCallMs'>,
): Lookup {
  const remembered = new Map<string, { readonly looked: Promise<Looked>; untilMs: number }>()

  const read = async (of: ModelName): Promise<Looked> => {
    const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
    try {
      const [model, counter] = await Promise.all([
        coordinator.get(modelKey(of), signal),
        coordinator.get(counterKey(of), signal),
      ])
      const record = model && codecs.model.decode(model.value)
      const last = counter && counters.decode(counter.value)
      return {
        model:
          record?.ok && record.value.deletedAt === null
            ? { record: record.value, modRevision: model!.modRevision }
            : null,
        lastVersion: last?.ok ? last.value.last : 0,
      }
    } catch (error) {
      throw new Unavailable('coordinator', 'the coordinator does not answer', { cause: error })
    }
  }
  return (of) => {
    const id = modelId(of)
    const nowMs = clock.monotonicMs()
    const known = remembered.get(id)
    if (known && known.untilMs > nowMs) return known.looked
    if (remembered.size >= rememberedMax) remembered.clear()
    const looked = read(of)
    const entry = { looked, untilMs: nowMs + bounds.unknownModelMs }
    remembered.set(id, entry)
    looked.then(
      () => {
        entry.untilMs = clock.monotonicMs() + bounds.unknownModelMs
      },
      () => remembered.delete(id),
    )
    return looked
  }
}
