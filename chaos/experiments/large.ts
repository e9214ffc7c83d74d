import type { Experiment } from '../experiment.ts'
import { clusterSite } from '../large/cluster.ts'
import { tryLarge } from '../large/large.ts'
import { oneMachineSite } from '../large/one-machine.ts'

/** The unit is a hundredth of the full size: 10,000 models, 100,000 jobs, a model of 200 MB. */
const sizeOf = (hundredths: number) => ({
  models: 100 * hundredths,
  jobs: 1_000 * hundredths,
  modelMegabytes: 2 * hundredths,
})

/** Below this it is not worth the start of two databases. */
const clusterFrom = 50

export const largeExperiment: Experiment = {
  name: 'large',
  promise: 'large models, many models and a long history cost what they must and disturb nobody',
  repetitions: { landing: 10, long: 100 },
  timeoutMs: (hundredths) => 60_000 + hundredths * 12_000,
  run: async ({ seeds, log, signal }) => {
    const size = sizeOf(seeds.length)
    const figures: Record<string, number | string> = { ...size }
    const violations: string[] = []
    const sites = seeds.length < clusterFrom ? [oneMachineSite] : [oneMachineSite, clusterSite]
    for (const open of sites) {
      const site = await open(size, signal)
      try {
        await tryLarge(site, size, { figures, violations, log, signal })
      } finally {
        await site.close()
      }
    }
    return { figures, violations }
  },
}
