import { codecs, type JobRecord } from '@almanac/shared'
import { expect, test } from 'vitest'
import { jobsOf } from '../../src/jobs/archive.ts'
import { listJobs } from '../../src/jobs/list-jobs.ts'
import { openCluster } from '../support/cluster.ts'

const tenant = 'default'
const idOf = (n: number) => `job-${String(n).padStart(5, '0')}`

const job = (n: number, model: string): JobRecord => ({
  ...{ id: idOf(n), kind: 'fit', subject: { tenant, model, version: 1 }, state: 'done' },
  ...{ attempts: 1, progress: { phase: 'done', fraction: 1 }, error: null, requestId: 'r' },
  ...{ createdAt: '2026-01-01T00:00:00.000Z', endedAt: '2026-01-01T00:00:00.000Z' },
})

test('a list of rare jobs has each once and in order, also one older than what was looked at', async () => {
  const { store } = await openCluster()
  const signal = AbortSignal.timeout(10_000)
  const rare = new Set([700, 640, 90, 20])
  for (let n = 1; n <= 720; n += 1) {
    if (n === 50) continue
    const value = codecs.job.encode(job(n, rare.has(n) ? 'rare' : 'm'))
    await store.putRecord({ ...jobsOf(tenant), id: idOf(n), value }, signal)
  }
  // Older than most that were archived, and not finished.
  const open = job(50, 'rare')
  const state = () => ({ jobs: new Map([[open.id, { value: open, modRevision: 1 }]]) }) as never
  const bounds = { storeCallMs: 5_000, pageItemsMax: 100 }
  const isRare = (one: JobRecord): one is JobRecord => one.subject.model === 'rare'
  for (const limit of [1, 2, 100]) {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof listJobs>> = await listJobs(
        { store, tenant, bounds, state },
        { limit, cursor },
        isRare,
      )
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.next
    } while (cursor !== null)
    expect(seen).toEqual([700, 640, 90, 50, 20].map(idOf))
  }
})
