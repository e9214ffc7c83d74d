import { afterAll, beforeAll, describe } from 'vitest'
import { retrainingSuite } from '../suite/retraining.ts'
import type { TestCluster } from '../support/cluster.ts'
import { startOneMachineCluster } from '../support/one-machine.ts'

describe('retraining on one machine, nothing installed', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startOneMachineCluster()
  })
  afterAll(() => cluster?.close())
  retrainingSuite(() => cluster)
})
