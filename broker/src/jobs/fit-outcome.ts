import { type ClusterState, type FailureRecord, type ModelName, modelId } from '@almanac/shared'

/** What became of a fit, as far as it is decided. */
export type FitOutcome =
  | { readonly kind: 'serving' }
  /** It was fitted, and a newer one was preferred to it. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'failed'; readonly error: FailureRecord }
  /** Fitted, and kept from serving by a hold. */
  | { readonly kind: 'held' }

export type Fit = {
  readonly of: ModelName
  readonly version: number
  readonly job: string
  /** At which it was recorded. */
  readonly revision: number
}

const deleted: FailureRecord = {
  phase: 'deleted',
  reason: 'deleted',
  detail: 'The model was deleted before this version could serve.',
}

/** Pure; undefined while it is open. */
export function fitOutcome(state: ClusterState, fit: Fit): FitOutcome | undefined {
  const { of, version, job, revision } = fit
  // An older state may tell of a model of that name that was deleted before.
  if (state.revision < revision) return undefined
  const id = modelId(of)
  const model = state.models.get(id)?.value
  if (model === undefined) return undefined
  if (model.deletedAt !== null || version <= model.floor) return { kind: 'failed', error: deleted }
  if (model.serving === version) return { kind: 'serving' }
  const record = state.versions.get(id)?.get(version)?.value
  if (record === undefined) {
    // Collected already.
    const isPast = state.jobs.get(job) === undefined && model.high > version
    return isPast && (model.serving ?? 0) > version ? { kind: 'superseded' } : undefined
  }
  if (record.state === 'failed') {
    const unknown = { phase: 'fit' as const, reason: 'unknown', detail: '' }
    return { kind: 'failed', error: record.error ?? unknown }
  }
  if (record.state !== 'stored' || model.target === version) return undefined
  if (model.high >= version) return { kind: 'superseded' }
  return model.hold ? { kind: 'held' } : undefined
}
