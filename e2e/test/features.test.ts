import { afterAll, beforeAll, describe } from 'vitest'
import { earlierPathsSuite } from '../suite/earlier-paths.ts'
import { filePredictionSuite } from '../suite/file-predictions.ts'
import { jobSuite } from '../suite/jobs.ts'
import { manySeriesSuite } from '../suite/many-series.ts'
import { predictionSuite } from '../suite/predictions.ts'
import { refitSuite } from '../suite/refits.ts'
import { retrainingSuite } from '../suite/retraining.ts'
import type { TestCluster } from '../support/cluster.ts'
import { startOneMachineCluster } from '../support/one-machine.ts'

describe('what is built upon forecasts, on one machine with nothing installed', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startOneMachineCluster()
  })
  afterAll(() => cluster?.close())
  manySeriesSuite(() => cluster)
  predictionSuite(() => cluster)
  filePredictionSuite(() => cluster)
  earlierPathsSuite(() => cluster)
  jobSuite(() => cluster)
  refitSuite(() => cluster)
  retrainingSuite(() => cluster)
})
