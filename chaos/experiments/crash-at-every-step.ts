import type { Experiment, ExperimentResult } from '../experiment.ts'
import { blows, type Strike } from '../simulation/blows.ts'
import { runCrew, stepsOfSeed } from '../simulation/crew.ts'

export const crashAtEveryStep: Experiment = {
  name: 'crash-at-every-step',
  promise:
    'a broker or node that dies, stalls or loses an answer at any of its calls, from the ' +
    'publishing of a version over its promotion to a rollback, delays what was begun by seconds, ' +
    'and never lets anything serve that was not promoted',
  repetitions: { landing: 1, long: 50 },
  // Some ten seconds on a machine of its own; others may need it too.
  timeoutMs: (repetitions) => 240_000 + repetitions * 120_000,
  async run({ seeds, log, signal }): Promise<ExperimentResult> {
    const strikes: Strike[] = []
    for (const seed of seeds)
      for (const step of await stepsOfSeed(seed))
        for (const blow of blows) strikes.push({ seed, step, blow })
    const tally = await runCrew({
      work: strikes,
      asked: (own) => ({ kind: 'strike', strikes: own }),
      signal,
    })
    const violations = tally.failures.flatMap(({ seed, violations: found }) =>
      found.map((violation) => `seed ${seed}: ${violation}`),
    )
    if (tally.schedules < strikes.length && violations.length === 0)
      violations.push(`only ${tally.schedules} of ${strikes.length} runs were made in time`)
    log(`${tally.schedules} runs, each with one blow at one call`)
    const { schedules, forecasts, convergedMsMax } = tally
    return { violations, figures: { runs: schedules, forecasts, convergedMsMax } }
  },
}
