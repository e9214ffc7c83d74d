import { compareSides, describeDifference } from '../differential/compare.ts'
import { playConcurrently } from '../differential/concurrent.ts'
import { generateHistory } from '../differential/generate.ts'
import { shrink } from '../differential/shrink.ts'
import { type Pair, type RealSides, startRealSides } from '../differential/sides.ts'
import type { History } from '../differential/steps.ts'
import type { Experiment } from '../experiment.ts'
import { checkKeySpaceHistory, faultsOf } from '../linearizability/check.ts'

/**
 * The embedded coordinator is etcd, as far as anybody who uses it can tell. One history in five is
 * followed by one of several clients at once on each of the two: it must be linearizable.
 */
export const coordinatorAgreement: Experiment = {
  name: 'coordinator-agreement',
  promise: 'the embedded coordinator and etcd give the same results for the same history',
  repetitions: { landing: 500, long: 20_000 },
  timeoutMs: (repetitions) => 60_000 + repetitions * 400,
  async run({ seeds, log, signal }) {
    const work: Work = {
      seeds: [...seeds],
      violations: [],
      figures: { histories: 0, steps: 0, succeeded: 0, refused: 0, thrown: 0, concurrent: 0 },
      log,
      signal,
    }
    await Promise.all(Array.from({ length: Math.min(lanes, seeds.length) }, () => playAll(work)))
    return { violations: work.violations, figures: work.figures }
  },
}

type Work = {
  readonly seeds: number[]
  readonly violations: string[]
  readonly figures: {
    histories: number
    steps: number
    /** Transactions that were done, and that were not because a comparison did not hold. */
    succeeded: number
    refused: number
    /** Steps that both refused with the same error. */
    thrown: number
    concurrent: number
  }
  readonly log: (line: string) => void
  readonly signal: AbortSignal
}

/** Each on an etcd of its own; together they hide the waits for the disk. */
const lanes = 3
const shrinkTriesMax = 300
const violationsMax = 5
const concurrentEvery = 5

async function playAll(work: Work): Promise<void> {
  const { violations, figures, signal } = work
  const real = await startRealSides()
  try {
    let sides = await real.fresh()
    while (violations.length < violationsMax && !signal.aborted) {
      const seed = work.seeds.shift()
      if (seed === undefined) return
      const history = generateHistory(seed)
      const onResult = (result: unknown) => count(work, result)
      const difference = await compareSides(sides, history, signal, onResult)
      figures.histories += 1
      if (figures.histories % 1_000 === 0) work.log(`${figures.histories} histories`)
      if (difference) {
        const shown = await shortest(real, history, signal)
        violations.push(`seed ${seed}:\n${shown ?? describeDifference(history, difference)}`)
        sides = await real.fresh()
      } else if (figures.histories % concurrentEvery === 1) {
        violations.push(...(await playTogether(sides, seed, signal)))
        figures.concurrent += 2
      }
    }
  } finally {
    await real.remove()
  }
}

function count({ figures }: Work, result: unknown): void {
  const { succeeded, thrown } = (result ?? {}) as { succeeded?: boolean; thrown?: string }
  figures.steps += 1
  if (succeeded === true) figures.succeeded += 1
  if (succeeded === false) figures.refused += 1
  if (thrown !== undefined) figures.thrown += 1
}

async function playTogether(sides: Pair, seed: number, signal: AbortSignal): Promise<string[]> {
  const names = sides.map((side) => `${side.name}, seed ${seed}`)
  const histories = await Promise.all(
    sides.map((side, i) => playConcurrently(side, seed, names[i]!, signal)),
  )
  return faultsOf(await checkKeySpaceHistory(histories.flat()))
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
