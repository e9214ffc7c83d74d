import type { TestCluster } from '../support/cluster.ts'
import { boundsSuite } from './bounds.ts'
import { earlierPathsSuite } from './earlier-paths.ts'
import { filePredictionSuite } from './file-predictions.ts'
import { jobSuite } from './jobs.ts'
import { manySeriesSuite } from './many-series.ts'
import { predictionSuite } from './predictions.ts'
import { refitSuite } from './refits.ts'
import { retrainingSuite } from './retraining.ts'

/** What is built upon forecasts: the same for one machine and for real servers. */
export function featureSuite(cluster: () => TestCluster): void {
  manySeriesSuite(cluster)
  boundsSuite(cluster)
  predictionSuite(cluster)
  filePredictionSuite(cluster)
  earlierPathsSuite(cluster)
  jobSuite(cluster)
  refitSuite(cluster)
  retrainingSuite(cluster)
}
