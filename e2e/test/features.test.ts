import { afterAll, beforeAll, describe } from 'vitest'
import { featureSuite } from '../suite/features.ts'
import type { TestCluster } from '../support/cluster.ts'
import { startOneMachineCluster } from '../support/one-machine.ts'

describe('what is built upon forecasts, on one machine with nothing installed', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startOneMachineCluster()
  })
  afterAll(() => cluster?.close())
  featureSuite(() => cluster)
})
