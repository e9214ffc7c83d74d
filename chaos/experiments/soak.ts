import type { Experiment } from '../experiment.ts'
import { clusterSite } from '../soak/cluster.ts'
import { oneMachineSite } from '../soak/one-machine.ts'
import type { SoakSite } from '../soak/site.ts'
import { soak } from '../soak/soak.ts'

/** 10,000 cycles take 50 minutes: an even load that leaves room for everything else. */
const perSecond = 10_000 / (50 * 60)

const soakOn = (name: string, on: string, open: () => Promise<SoakSite>): Experiment => ({
  name,
  promise: `cycles of fit, promotion, load and unload leave memory, handles, keys and rows of ${on} flat`,
  repetitions: { landing: 0, long: 10_000 },
  timeoutMs: (cycles) => (cycles / perSecond) * 1_500 + 120_000,
  run: (context) => soak(context, open, { perSecond, sampleEveryMs: 15_000 }),
})

export const soakOneMachine = soakOn('soak', 'the one process', oneMachineSite)
export const soakCluster = soakOn('soak-cluster', 'a cluster', clusterSite)
