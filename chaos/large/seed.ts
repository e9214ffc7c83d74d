import { createHash } from 'node:crypto'
import { describedSeries, encodeModel, fitModel, parseSpec } from '@almanac/engine'
import {
  type Coordinator,
  CounterRecord,
  codec,
  codecs,
  counterKey,
  type JobRecord,
  jobKey,
  LogRecord,
  logKey,
  type ModelName,
  mintBlobId,
  modelKey,
  type Operation,
  put,
  type Store,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import { smallSeries, smallSpec } from '../../e2e/support/data.ts'

export type Seeding = {
  readonly coordinator: Coordinator
  readonly store: Store
  readonly signal: AbortSignal
}

export const modelName = (i: number) => `large-${String(i).padStart(6, '0')}`

/** As many served models as asked for, as if each had been fitted once, in the keys of the real. */
export async function seedModels(seeding: Seeding, count: number): Promise<void> {
  const batch: Operation[] = []
  let stored = await storeModel(seeding)
  for (let i = 0; i < count; i++) {
    // Some share bytes: nothing that reads them can tell, and uploads of all would take minutes.
    if (i % modelsPerBlob === 0) stored = await storeModel(seeding)
    batch.push(...recordsOf({ tenant: 'default', model: modelName(i) }, stored))
    if (batch.length + recordsPerModel > operationsMax || i === count - 1)
      await write(seeding, batch.splice(0))
  }
}

/** Finished fits of the first model, oldest first, all of them still in the coordinator. */
export async function seedJobs(seeding: Seeding, count: number): Promise<void> {
  const batch: Operation[] = []
  for (let i = 0; i < count; i++) {
    const job = jobOf({ tenant: 'default', model: modelName(0) }, mintBlobId(), 1)
    batch.push(put(jobKey(job.id), codecs.job.encode(job)))
    if (batch.length === operationsMax || i === count - 1) await write(seeding, batch.splice(0))
  }
}

const modelsPerBlob = 100
const recordsPerModel = 5
const operationsMax = 100
const logs = codec(LogRecord)
const counters = codec(CounterRecord)

type Stored = { readonly blob: string; readonly sha256: string; readonly sizeBytes: number }

async function storeModel({ store, signal }: Seeding): Promise<Stored> {
  const spec = parseSpec(smallSpec)
  if (spec.kind === 'refused') throw new Error(spec.reason.detail)
  const y = smallSeries(10)
  const series = describedSeries({ y: [...y], start: null, frequency: null })
  const fitted = fitModel(series, spec.value, { seed: 1, workMax: 1e9 })
  if (fitted.kind === 'refused') throw new Error(fitted.reason.detail)
  const content = Uint8Array.from(encodeModel(fitted.value))
  const blob = mintBlobId()
  await store.writeBlob({ kind: 'model', id: blob, label: 'seeded', content }, signal)
  const sha256 = createHash('sha256').update(content).digest('hex')
  return { blob, sha256, sizeBytes: content.byteLength }
}

function recordsOf(of: ModelName, { blob, sha256, sizeBytes }: Stored): Operation[] {
  const now = new Date().toISOString()
  const job = mintBlobId()
  const version: VersionRecord = {
    ...{ version: 1, state: 'stored', job, spec: smallSpec },
    dataset: { blob, observations: 120 },
    ...{ blob, sha256, sizeBytes, error: null, metrics: {} },
    times: { createdAt: now, fittingAt: now, storedAt: now, failedAt: null },
  }
  const model = codecs.model.encode({
    ...{ serving: 1, target: 1, previous: null, high: 1, hold: false, changes: 1, floor: 0 },
    ...{ why: 'fit', createdAt: now, deletedAt: null },
  })
  const log = { from: null, to: 1, why: 'fit', who: 'seed', at: now } as const
  return [
    put(modelKey(of), model),
    put(counterKey(of), counters.encode({ last: 1 })),
    put(versionKey(of, 1), codecs.version.encode(version)),
    put(logKey(of, 1), logs.encode(log)),
  ]
}

function jobOf(subject: ModelName, id: string, version: number): JobRecord {
  const now = new Date().toISOString()
  return {
    ...{ id, kind: 'fit', subject: { ...subject, version }, state: 'done', attempts: 1 },
    ...{ progress: { phase: 'done', fraction: 1 }, error: null, requestId: 'seed' },
    ...{ createdAt: now, endedAt: now },
  }
}

async function write({ coordinator, signal }: Seeding, then: readonly Operation[]): Promise<void> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(10_000)])
  const { succeeded } = await coordinator.transact({ when: [], then }, deadline)
  if (!succeeded) throw new Error('a transaction without conditions was refused')
}
