import type { Experiment } from '../experiment.ts'
import { badLinks } from './bad-links.ts'
import { brokerKill } from './broker-kill.ts'
import { coordinatorAgreement } from './coordinator-agreement.ts'
import { crashAtEveryStep } from './crash-at-every-step.ts'
import { diskFull } from './disk-full.ts'
import { drain } from './drain.ts'
import { hostileHttp } from './hostile-http.ts'
import { hostileRoutes } from './hostile-routes.ts'
import { largeExperiment } from './large.ts'
import { mixedFaults } from './mixed-faults.ts'
import { modelBytes } from './model-bytes.ts'
import { nodeKill } from './node-kill.ts'
import { outages } from './outages.ts'
import { overload } from './overload.ts'
import { simulation } from './simulation.ts'
import { soakCluster, soakOneMachine } from './soak.ts'

/**
 * In the order in which they run: the cheap ones first, then what wants the machine for itself,
 * then those that share a topology.
 */
export const experiments: readonly Experiment[] = [
  simulation,
  crashAtEveryStep,
  modelBytes,
  coordinatorAgreement,
  hostileHttp,
  hostileRoutes,
  largeExperiment,
  diskFull,
  overload,
  nodeKill,
  brokerKill,
  drain,
  badLinks,
  outages,
  mixedFaults,
  soakOneMachine,
  soakCluster,
]
