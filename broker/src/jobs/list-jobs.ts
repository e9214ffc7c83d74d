import { type ClusterState, codecs, type JobRecord, type Store } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { jobsOf } from './archive.ts'

type Parts = {
  readonly store: Store
  readonly tenant: string
  readonly bounds: Pick<Bounds, 'storeCallMs' | 'pageItemsMax'>
  readonly state: () => Pick<ClusterState, 'jobs'>
}

type Page = { readonly limit: number; readonly cursor: string | null }

/**
 * A page of the jobs that are wanted, newest first: from the view, and from the store, of which a
 * bounded number of pages is looked at. So one may have fewer than `limit`, or none, and a `next`.
 */
export async function listJobs<T extends JobRecord>(
  { store, tenant, bounds, state }: Parts,
  { limit, cursor }: Page,
  isWanted: (job: JobRecord) => job is T,
): Promise<{ readonly items: readonly T[]; readonly next: string | null }> {
  const isOurs = (job: JobRecord): job is T => job.subject.tenant === tenant && isWanted(job)
  // The view first: what goes from it to the store meanwhile is in one of the two.
  const near = [...state().jobs.values()].map(({ value }) => value).filter(isOurs)
  const jobs = new Map<string, T>()
  let after = cursor
  for (let page = 0; page < farPagesMax; page += 1) {
    const signal = AbortSignal.timeout(bounds.storeCallMs)
    const asked = { after, limit: bounds.pageItemsMax }
    const far = await store.listRecords(jobsOf(tenant), asked, signal)
    for (const { id, value } of far.records) {
      const job = codecs.job.decode(value)
      if (job.ok && isOurs(job.value)) jobs.set(id, job.value)
    }
    after = far.next
    if (after === null || jobs.size > limit) break
  }
  // Beyond what was looked at there may be others, which belong before older ones of the view.
  const isInReach = (id: string) => (cursor === null || id < cursor) && id >= (after ?? '')
  for (const job of near) if (isInReach(job.id)) jobs.set(job.id, job)
  const newestFirst = [...jobs.entries()].sort(([a], [b]) => (a < b ? 1 : -1))
  const items = newestFirst.slice(0, limit).map(([, job]) => job)
  const isCut = newestFirst.length > limit
  return { items, next: isCut ? (newestFirst[limit - 1]?.[0] ?? null) : after }
}

/** Of a hundred jobs each: those that are wanted may be rare among them. */
const farPagesMax = 5
