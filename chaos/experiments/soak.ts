import type { Experiment } from '../experiment.ts'
import { soak } from '../soak/soak.ts'

/** 10,000 cycles take 50 minutes: an even load that leaves room for everything else. */
const perSecond = 10_000 / (50 * 60)

export const soakExperiment: Experiment = {
  name: 'soak',
  promise: 'cycles of fit, promotion, load and unload leave memory, handles, keys and rows flat',
  repetitions: { landing: 0, long: 10_000 },
  timeoutMs: (cycles) => (cycles / perSecond) * 1_500 + 120_000,
  run: (context) => soak(context, { perSecond, sampleEveryMs: 15_000 }),
}
