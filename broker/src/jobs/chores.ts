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

/**
 * What is old enough to leave the coordinator, at most `most` of each kind, so that none waits for
 * another. Pure. Costs a look at each job and each model, and more only where there is more to do.
 */
export function choresOf(
  state: ClusterState,
  log: LogView,
  now: string,
  bounds: ChoreBounds,
  most: number,
): readonly Chore[] {
  const versions: Chore[] = []
  const entries: Chore[] = []
  for (const [id, model] of state.models) {
    if (versions.length < most) versions.push(...oldVersions(id, model, state, bounds))
    if (entries.length < most) entries.push(...oldLog(id, log, bounds))
  }
  const jobs = oldJobs(state, now, bounds, most)
  return [...jobs, ...versions.slice(0, most), ...entries.slice(0, most)]
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

/**
 * Wall time is good enough for a day: it decides where a record lives, not what it says. Those that
 * began first leave first: the state has jobs in the order in which they came.
 */
function oldJobs(state: ClusterState, now: string, bounds: ChoreBounds, most: number): Chore[] {
  const endedMsMin = Date.parse(now) - bounds.finishedJobMs
  let surplus = countFinished(state) - bounds.finishedJobsMax
  const chores: Chore[] = []
  for (const job of state.jobs.values()) {
    if (chores.length >= most) break
    const { endedAt } = job.value
    if (endedAt === null) continue
    if (surplus <= 0 && Date.parse(endedAt) >= endedMsMin) continue
    surplus -= 1
    chores.push({ kind: 'job', job })
  }
  return chores
}

function countFinished(state: ClusterState): number {
  let count = 0
  for (const { value } of state.jobs.values()) if (value.endedAt !== null) count += 1
  return count
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
  if (versions.size <= bounds.versionsKept) return []
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
  const entries = log.entries(id)
  if (entries.size <= bounds.logEntriesKept) return []
  return [...entries]
    .sort(([a], [b]) => b - a)
    .slice(bounds.logEntriesKept)
    .map(([n, entry]) => ({ kind: 'log', of: nameOf(id), n, entry }))
}
