import type {
  ClusterState,
  Held,
  JobRecord,
  LogRecord,
  ModelName,
  ModelRecord,
  VersionRecord,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import type { LogView } from '../view/log-fold.ts'

/** Something old that moves from the coordinator to the store. */
export type Chore =
  | { readonly kind: 'job'; readonly job: Held<JobRecord> }
  | {
      readonly kind: 'version'
      readonly of: ModelName
      readonly model: Held<ModelRecord>
      readonly version: Held<VersionRecord>
    }
  | { readonly kind: 'log'; readonly of: ModelName; readonly n: number; readonly entry: LogRecord }

type ChoreBounds = Pick<
  Bounds,
  'finishedJobMs' | 'finishedJobsMax' | 'versionsKept' | 'logEntriesKept'
>

/** What is old enough to leave the coordinator, at most `most` of it. Pure. */
export function choresOf(
  state: ClusterState,
  log: LogView,
  now: string,
  bounds: ChoreBounds,
  most: number,
): readonly Chore[] {
  return [
    ...oldJobs(state, Date.parse(now), bounds),
    ...[...state.models].flatMap(([id, model]) => [
      ...oldVersions(id, model, state, bounds),
      ...oldLog(id, log, bounds),
    ]),
  ].slice(0, most)
}

/** Versions that belong to a model that is gone. */
export function deletedVersions(
  state: ClusterState,
  id: string,
): readonly { readonly of: ModelName; readonly version: Held<VersionRecord> }[] {
  const model = state.models.get(id)?.value
  if (model === undefined) return []
  return [...(state.versions.get(id)?.values() ?? [])]
    .filter(({ value }) => model.deletedAt !== null || value.version <= model.floor)
    .map((version) => ({ of: nameOf(id), version }))
}

function nameOf(id: string): ModelName {
  const [tenant = '', model = ''] = id.split('/')
  return { tenant, model }
}

/** Wall time is good enough for a day: it decides where a record lives, not what it says. */
function oldJobs(state: ClusterState, nowMs: number, bounds: ChoreBounds): Chore[] {
  const finished = [...state.jobs.values()].filter(({ value }) => value.endedAt !== null)
  finished.sort((a, b) => (a.value.endedAt! < b.value.endedAt! ? -1 : 1))
  const surplus = finished.length - bounds.finishedJobsMax
  return finished
    .filter(
      ({ value }, i) => i < surplus || nowMs - Date.parse(value.endedAt!) > bounds.finishedJobMs,
    )
    .map((job) => ({ kind: 'job', job }))
}

/** The oldest beyond the number kept; never one that serves, is to, did last, or is unfinished. */
function oldVersions(
  id: string,
  model: Held<ModelRecord>,
  state: ClusterState,
  bounds: ChoreBounds,
): Chore[] {
  const versions = state.versions.get(id)
  if (model.value.deletedAt !== null || versions === undefined) return []
  const { serving, target, previous } = model.value
  const needed = new Set([serving, target, previous])
  return [...versions.values()]
    .sort((a, b) => b.value.version - a.value.version)
    .slice(bounds.versionsKept)
    .filter(({ value }) => !needed.has(value.version))
    .filter(({ value }) => value.state === 'stored' || value.state === 'failed')
    .map((version) => ({ kind: 'version', of: nameOf(id), model, version }))
}

function oldLog(id: string, log: LogView, bounds: ChoreBounds): Chore[] {
  const entries = [...log.entries(id)].sort(([a], [b]) => b - a)
  return entries
    .slice(bounds.logEntriesKept)
    .map(([n, entry]) => ({ kind: 'log', of: nameOf(id), n, entry }))
}
