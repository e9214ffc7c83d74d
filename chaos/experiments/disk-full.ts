import type { Experiment } from '../experiment.ts'
import { fillDisk } from '../faults/disk-full.ts'

const oneMs = 60_000

export const diskFull: Experiment = {
  name: 'disk-full',
  promise: 'no room in the data folder: forecasts go on, fits are refused, nothing told is lost',
  repetitions: { landing: 1, long: 20 },
  timeoutMs: (repetitions) => repetitions * oneMs,
  run: async ({ seeds, signal }) => {
    const violations: string[] = []
    const figures = { refusedFits: 0, forecasts: 0, wellAfterMs: 0 }
    for (const seed of seeds) {
      if (signal.aborted) break
      const result = await fillDisk(seed, signal)
      violations.push(...result.violations.map((line) => `${line} [seed ${seed}]`))
      figures.refusedFits += result.refusedFits
      figures.forecasts += result.forecasts
      figures.wellAfterMs = Math.max(figures.wellAfterMs, result.wellAfterMs)
    }
    return { violations, figures }
  },
}
