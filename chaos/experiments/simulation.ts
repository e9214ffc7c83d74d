import type { Experiment, ExperimentResult } from '../experiment.ts'
import { runCrew, shrinkSeed } from '../simulation/crew.ts'

/** Failing schedules that are reduced: each takes seconds, and one is enough to begin with. */
const shrunkMax = 2

export const simulation: Experiment = {
  name: 'simulation',
  promise:
    'on random schedules of crashes, partitions and outages the code that coordinates, in ' +
    'virtual time, keeps every promise, and all is well again after the last fault',
  repetitions: { landing: 10_000, long: 1_000_000 },
  timeoutMs: (repetitions) => 60_000 + repetitions * 30,
  async run({ seeds, log, signal }): Promise<ExperimentResult> {
    const startedMs = performance.now()
    let toldMs = startedMs
    const tally = await runCrew({
      work: seeds,
      asked: (own) => ({ kind: 'run', seeds: own }),
      signal,
      onProgress: ({ schedules, failures }) => {
        if (performance.now() - toldMs < 30_000) return
        toldMs = performance.now()
        log(`${schedules} schedules, ${failures.length} with violations`)
      },
    })
    const seconds = (performance.now() - startedMs) / 1_000
    const violations = tally.failures.flatMap(({ seed, violations: found }) =>
      found.map((violation) => `seed ${seed}: ${violation}`),
    )
    for (const { seed } of tally.failures.slice(0, shrunkMax)) {
      const { kept, lines } = await shrinkSeed(seed)
      for (const line of lines) log(line)
      log(`npm run sim -- --seed ${seed} --keep ${kept}`)
    }
    if (tally.schedules < seeds.length && violations.length === 0)
      violations.push(`only ${tally.schedules} of ${seeds.length} schedules were run in time`)
    return {
      violations,
      figures: {
        schedules: tally.schedules,
        schedulesPerSecond: Math.round(tally.schedules / seconds),
        events: tally.events,
        forecasts: tally.forecasts,
        fits: tally.fits,
        virtualHours: Math.round(tally.virtualMs / 36_000) / 100,
        convergedMsMax: tally.convergedMsMax,
      },
    }
  },
}
