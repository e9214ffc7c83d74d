import {
  type Comparison,
  type Coordinator,
  codec,
  codecs,
  jobKey,
  LogRecord,
  logKey,
  type ModelName,
  modelId,
  modelKey,
  modifiedAt,
  remove,
  type Store,
  type StoredRecord,
  unreachable,
  versionKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import type { Chore } from './chores.ts'

const logs = codec(LogRecord)

/** Zero-padded: ids of records compare as text. */
export const recordId = (n: number) => String(n).padStart(12, '0')

/** Where finished jobs of a tenant live in the store. */
export const jobsOf = (tenant: string) => ({ collection: 'jobs', scope: tenant })
export const versionsOf = (of: ModelName) => ({ collection: 'versions', scope: modelId(of) })
export const logOf = (of: ModelName) => ({ collection: 'log', scope: modelId(of) })

export type ArchiveParts = {
  readonly coordinator: Coordinator
  readonly store: Store
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'storeCallMs'>
}

/**
 * Writes the record to the store first, then takes it out of the coordinator if unchanged. The
 * revision at which it went; undefined when it stays.
 */
export async function archive(parts: ArchiveParts, chore: Chore): Promise<number | undefined> {
  const { record, when, key } = planOf(chore)
  const { coordinator, store, bounds } = parts
  await store.putRecord(record, AbortSignal.timeout(bounds.storeCallMs))
  const transaction = { when, then: [remove(key)] }
  const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
  const { succeeded, revision } = await coordinator.transact(transaction, signal)
  return succeeded ? revision : undefined
}

function planOf(chore: Chore): {
  readonly record: StoredRecord
  readonly when: readonly Comparison[]
  readonly key: string
} {
  switch (chore.kind) {
    case 'job': {
      const { value, modRevision } = chore.job
      const key = jobKey(value.id)
      const record = { ...jobsOf(value.subject.tenant), id: value.id }
      return {
        record: { ...record, value: codecs.job.encode(value) },
        when: [modifiedAt(key, modRevision)],
        key,
      }
    }
    case 'version': {
      const { value, modRevision } = chore.version
      const key = versionKey(chore.of, value.version)
      const record = { ...versionsOf(chore.of), id: recordId(value.version) }
      return {
        record: { ...record, value: codecs.version.encode(value) },
        // The model too: a rollback to this version must not find it gone.
        when: [
          modifiedAt(key, modRevision),
          modifiedAt(modelKey(chore.of), chore.model.modRevision),
        ],
        key,
      }
    }
    case 'log': {
      const key = logKey(chore.of, chore.n)
      const record = { ...logOf(chore.of), id: recordId(chore.n) }
      const value = logs.encode(chore.entry)
      return { record: { ...record, value }, when: [{ kind: 'present', key }], key }
    }
    default:
      return unreachable(chore)
  }
}
