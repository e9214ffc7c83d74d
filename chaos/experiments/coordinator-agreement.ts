import { compareSides, describeDifference } from '../differential/compare.ts'
import { generateHistory } from '../differential/generate.ts'
import { shrink } from '../differential/shrink.ts'
import { type RealSides, startRealSides } from '../differential/sides.ts'
import type { History } from '../differential/steps.ts'
import type { Experiment } from '../experiment.ts'

/** The embedded coordinator is etcd, as far as anybody who uses it can tell. */
export const coordinatorAgreement: Experiment = {
  name: 'coordinator-agreement',
  promise: 'the embedded coordinator and etcd give the same results for the same history',
  repetitions: { landing: 500, long: 20_000 },
  timeoutMs: (repetitions) => 60_000 + repetitions * 400,
  async run({ seeds, log, signal }) {
    const work: Work = { seeds: [...seeds], violations: [], histories: 0, steps: 0, log, signal }
    await Promise.all(Array.from({ length: Math.min(lanes, seeds.length) }, () => playAll(work)))
    const { violations, histories, steps } = work
    return { violations, figures: { histories, steps } }
  },
}

type Work = {
  readonly seeds: number[]
  readonly violations: string[]
  histories: number
  steps: number
  readonly log: (line: string) => void
  readonly signal: AbortSignal
}

/** Each on an etcd of its own; together they hide the waits for the disk. */
const lanes = 3
const shrinkTriesMax = 300
const violationsMax = 5

async function playAll(work: Work): Promise<void> {
  const real = await startRealSides()
  try {
    let sides = await real.fresh()
    while (work.violations.length < violationsMax && !work.signal.aborted) {
      const seed = work.seeds.shift()
      if (seed === undefined) return
      const history = generateHistory(seed)
      const difference = await compareSides(sides, history, work.signal)
      work.histories += 1
      work.steps += history.length
      if (work.histories % 1_000 === 0) work.log(`${work.histories} histories`)
      if (difference === undefined) continue
      const shown = await shortest(real, history, work.signal)
      work.violations.push(`seed ${seed}:\n${shown ?? describeDifference(history, difference)}`)
      sides = await real.fresh()
    }
  } finally {
    await real.remove()
  }
}

/** Undefined when it does not show again. */
async function shortest(
  real: RealSides,
  history: History,
  signal: AbortSignal,
): Promise<string | undefined> {
  const differ = async (shorter: History) => compareSides(await real.fresh(), shorter, signal)
  const fails = async (shorter: History) => (await differ(shorter)) !== undefined
  const short = await shrink(history, fails, shrinkTriesMax)
  const difference = await differ(short)
  return difference && describeDifference(short, difference)
}
