import { afterAll, beforeAll, describe } from 'vitest'
import { earlierPathsSuite } from '../suite/earlier-paths.ts'
import { filePredictionFaultSuite, filePredictionSuite } from '../suite/file-predictions.ts'
import { jobSuite } from '../suite/jobs.ts'
import { manySeriesSuite } from '../suite/many-series.ts'
import { predictionSuite } from '../suite/predictions.ts'
import { refitFaultSuite, refitSuite } from '../suite/refits.ts'
import { retrainingSuite } from '../suite/retraining.ts'
import type { TestCluster } from '../support/cluster.ts'
import { startRealCluster } from '../support/real.ts'

describe('what is built upon forecasts, on real servers', () => {
  let cluster: Required<TestCluster>
  beforeAll(async () => {
    cluster = await startRealCluster()
  }, 600_000)
  afterAll(() => cluster?.close())
  manySeriesSuite(() => cluster)
  predictionSuite(() => cluster)
  filePredictionSuite(() => cluster)
  earlierPathsSuite(() => cluster)
  jobSuite(() => cluster)
  refitSuite(() => cluster)
  refitFaultSuite(() => cluster)
  retrainingSuite(() => cluster)
  filePredictionFaultSuite(() => cluster)
})
