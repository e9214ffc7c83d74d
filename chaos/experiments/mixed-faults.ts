import type { Experiment } from '../experiment.ts'
import { runMixed } from '../faults/mixed.ts'
import { topologyStartMs } from './shared-topology.ts'

/** Of one repetition: a minute and a quarter holds some twenty faults. */
const minutes = 1.25
const oneMs = minutes * 60_000 + 60_000

export const mixedFaults: Experiment = {
  name: 'mixed-faults',
  promise: 'whatever breaks at once, in whatever order, no promise to users is broken',
  // For nights, not for landings: no two runs are alike, and each takes minutes to understand.
  repetitions: { landing: 0, long: 40 },
  timeoutMs: (repetitions) => topologyStartMs + 60_000 + repetitions * oneMs,
  run: (context) => runMixed(context, { name: 'mixed-faults', minutes }),
}
