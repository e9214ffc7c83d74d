import type { Experiment } from '../experiment.ts'
import { hostileRoutes } from './hostile-routes.ts'
import { largeExperiment } from './large.ts'
import { soakExperiment } from './soak.ts'

/** In the order in which they run: the cheap ones first. */
export const experiments: readonly Experiment[] = [hostileRoutes, largeExperiment, soakExperiment]
