import { afterAll, beforeAll, describe } from 'vitest'
import { jobSuite } from '../suite/jobs.ts'
import { refitFaultSuite, refitSuite } from '../suite/refits.ts'
import { retrainingSuite } from '../suite/retraining.ts'
import type { TestCluster } from '../support/cluster.ts'
import { startRealCluster } from '../support/real.ts'

describe('jobs on real etcd and a real CQL database', () => {
  let cluster: Required<TestCluster>
  beforeAll(async () => {
    cluster = await startRealCluster()
  }, 600_000)
  afterAll(() => cluster?.close())
  jobSuite(() => cluster)
  refitSuite(() => cluster)
  refitFaultSuite(() => cluster)
  retrainingSuite(() => cluster)
})
