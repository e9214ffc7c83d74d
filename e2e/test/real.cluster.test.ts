import { afterAll, beforeAll, describe } from 'vitest'
import { backtestFaultSuite, backtestSuite } from '../suite/backtests.ts'
import { coreSuite } from '../suite/core.ts'
import { faultSuite } from '../suite/faults.ts'
import { loadSuite } from '../suite/load.ts'
import { messageFaultSuite, messagesSuite } from '../suite/messages.ts'
import { tableFaultSuite } from '../suite/table-faults.ts'
import type { TestCluster } from '../support/cluster.ts'
import { startRealCluster } from '../support/real.ts'

describe('a cluster on real etcd and a real CQL database', () => {
  let cluster: Required<TestCluster>
  beforeAll(async () => {
    cluster = await startRealCluster()
  }, 600_000)
  afterAll(() => cluster?.close())
  coreSuite(() => cluster)
  messagesSuite(() => cluster)
  messageFaultSuite(() => cluster)
  backtestSuite(() => cluster)
  loadSuite(() => cluster)
  backtestFaultSuite(() => cluster)
  tableFaultSuite(() => cluster)
  // Longer than a lease. A whole minute of each is in the experiments at every landing.
  faultSuite(() => cluster, { outageMs: 15_000 })
})
