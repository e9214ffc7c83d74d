import {
  type Comparison,
  type Coordinator,
  codecs,
  type ModelName,
  modelKey,
  modifiedAt,
  Refused,
  type RetrainingRecord,
  retrainingKey,
  retrainingsOf,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { findKept, listKept, putKept, removeKept } from '../jobs/kept-record.ts'
import type { HeldRecord } from '../jobs/read-record.ts'
import { mustDecode } from '../jobs/unreadable.ts'
import { retrainingCodec } from '../view/retraining-fold.ts'

type Parts = {
  readonly coordinator: Coordinator
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'contentionTriesMax' | 'retrainingsMax'>
}

/** What a client says of a rule, checked. */
export type Asked = Pick<RetrainingRecord, 'liveMase' | 'observations' | 'restSeconds' | 'enabled'>

/** A rule as it was read at the coordinator. */
export type HeldRetraining = HeldRecord<RetrainingRecord> & { readonly of: ModelName }

/**
 * Makes the rule of a model, or changes it: what it remembers stays, but a rule that is another one
 * may act on a version that it acted on before. Throws `Refused`: 404 where there is no such model,
 * 409 when there are too many rules, or one that cannot be read.
 */
export async function putRetraining(
  parts: Parts,
  of: ModelName,
  asked: Asked,
  now: string,
): Promise<{ readonly record: RetrainingRecord; readonly isNew: boolean }> {
  return putKept(parts, keptOf(of), {
    what: `the model ${of.model}`,
    // A model that is deleted meanwhile leaves no rule behind.
    holds: async () => [await mustHaveModel(parts, of)],
    changed: async (before) => {
      if (before === undefined) await mustHaveRoom(parts, of)
      return changed(before, asked, now)
    },
  })
}

/** Removes it; what it has begun goes on. False: there was none. */
export function deleteRetraining(parts: Parts, of: ModelName): Promise<boolean> {
  return removeKept(parts, retrainingKey(of))
}

/** At a linearizable read. Throws a 409 for one that this release cannot read. */
export async function findRetraining(
  parts: Pick<Parts, 'coordinator'> & { readonly bounds: Pick<Bounds, 'coordinatorCallMs'> },
  of: ModelName,
): Promise<HeldRetraining | undefined> {
  const held = await findKept(parts, keptOf(of))
  return held && { of, ...held }
}

/** All that there are, by model. `read` is undefined for one that this release cannot read. */
export async function listRetrainings(
  parts: Parts,
  tenant: string,
): Promise<
  readonly { readonly model: string; readonly read: () => RetrainingRecord | undefined }[]
> {
  const prefix = retrainingsOf(tenant)
  return (await listKept(parts, prefix)).map(({ key, value }) => ({
    model: key.slice(prefix.length),
    read: () => {
      const decoded = retrainingCodec.decode(value)
      return decoded.ok ? decoded.value : undefined
    },
  }))
}

async function mustHaveModel(parts: Parts, of: ModelName): Promise<Comparison> {
  const entry = await parts.coordinator.get(
    modelKey(of),
    AbortSignal.timeout(parts.bounds.coordinatorCallMs),
  )
  if (entry === undefined || mustDecode(codecs.model, entry).deletedAt !== null)
    throw new Refused(404, 'no-such-model', `There is no model ${of.model} to fit again.`, {
      field: 'model',
      remedy: 'Fit one: POST /api/models/{model}/fit.',
    })
  return modifiedAt(modelKey(of), entry.modRevision)
}

async function mustHaveRoom(parts: Parts, { tenant }: ModelName): Promise<void> {
  const { retrainingsMax } = parts.bounds
  if ((await listRetrainings(parts, tenant)).length < retrainingsMax) return
  const detail = `${retrainingsMax} models have such a rule already.`
  throw new Refused(409, 'too-many-rules', detail, {
    remedy: 'GET /api/retraining lists them; DELETE /api/models/{model}/retraining removes one.',
  })
}

function changed(
  before: RetrainingRecord | undefined,
  asked: Asked,
  now: string,
): RetrainingRecord {
  const isSame =
    before?.liveMase === asked.liveMase &&
    before.observations === asked.observations &&
    before.restSeconds === asked.restSeconds &&
    before.enabled === asked.enabled
  return {
    ...(before ?? { createdAt: now, begunAt: null, runs: [] }),
    ...asked,
    changedAt: now,
    acted: before && isSame ? before.acted : null,
  }
}

const keptOf = (of: ModelName) => ({ key: retrainingKey(of), values: retrainingCodec })
