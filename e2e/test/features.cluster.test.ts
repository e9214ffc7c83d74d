import { afterAll, beforeAll, describe } from 'vitest'
import { featureSuite } from '../suite/features.ts'
import { filePredictionFaultSuite } from '../suite/file-predictions.ts'
import { refitFaultSuite } from '../suite/refits.ts'
import type { TestCluster } from '../support/cluster.ts'
import { startRealCluster } from '../support/real.ts'

describe('what is built upon forecasts, on real servers', () => {
  let cluster: Required<TestCluster>
  beforeAll(async () => {
    cluster = await startRealCluster()
  }, 600_000)
  afterAll(() => cluster?.close())
  featureSuite(() => cluster)
  refitFaultSuite(() => cluster)
  filePredictionFaultSuite(() => cluster)
})
