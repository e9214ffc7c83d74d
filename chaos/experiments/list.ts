import type { Experiment } from '../experiment.ts'
import { soakExperiment } from './soak.ts'

/** In the order in which they run: the cheap ones first. */
export const experiments: readonly Experiment[] = [soakExperiment]
