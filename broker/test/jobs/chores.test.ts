import { createClusterFold, type JobRecord, jobKey } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { boundsOf } from '../../src/config/bounds.ts'
import { choresOf } from '../../src/jobs/chores.ts'
import { createLogFold } from '../../src/view/log-fold.ts'

const now = '2026-01-02T00:00:00.000Z'
const never = () => {
  throw new Error('everything can be read')
}

/** Finished jobs in the order of their ids, each ended a second after the one before it. */
function stateOf(jobs: number) {
  const fold = createClusterFold(never)
  const entries = Array.from({ length: jobs }, (_, i) => {
    const record: JobRecord = {
      ...{ id: `job-${String(i).padStart(6, '0')}`, kind: 'fit', state: 'done', attempts: 1 },
      ...{ subject: { tenant: 'default', model: 'm', version: i + 1 }, error: null },
      ...{ progress: { phase: 'done', fraction: 1 }, requestId: 'r', createdAt: now },
      endedAt: new Date(Date.parse(now) - (jobs - i) * 1_000).toISOString(),
    }
    const value = JSON.stringify(record)
    return { key: jobKey(record.id), value, createRevision: 1, modRevision: 1, lease: null }
  })
  fold.apply({ kind: 'snapshot', revision: 1, entries })
  return fold.state
}

function jobsOf(jobs: number, bounds: Parameters<typeof boundsOf>[0], most = 100) {
  const chores = choresOf(stateOf(jobs), createLogFold(never), now, boundsOf(bounds), most)
  return chores.map((chore) => (chore.kind === 'job' ? chore.job.value.id : chore.kind))
}

describe('what is old enough to leave the coordinator', () => {
  test('are the oldest jobs beyond the number kept', () => {
    expect(jobsOf(5, { finishedJobsMax: 3 })).toEqual(['job-000000', 'job-000001'])
  })

  test('are jobs beyond their age, however few', () => {
    expect(jobsOf(5, { finishedJobMs: 3_500 })).toEqual(['job-000000', 'job-000001'])
  })

  test('is told a bounded part at a time', () => {
    expect(jobsOf(500, { finishedJobsMax: 10 })).toHaveLength(100)
  })
})
