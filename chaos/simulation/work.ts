import type { Strike } from './blows.ts'
import { strike } from './every-step.ts'
import { mutants } from './mutants.ts'
import { type RunResult, runPlan } from './run.ts'
import { planOf } from './schedule/draw.ts'
import { type Kept, keptText, reduced, shrink } from './schedule/shrink.ts'
import { added, emptyTally, type Tally } from './tally.ts'

/** Runs the schedules of some seeds, one after the other. */
export function runSeeds(seeds: readonly number[], mutant?: string): Tally {
  return seeds.reduce(
    (tally, seed) => added(tally, tallyOf(seed, runSeed(seed, undefined, mutant))),
    emptyTally,
  )
}

/** Lives in each of which one process is struck. */
export function runStrikes(strikes: readonly Strike[]): Tally {
  return strikes.reduce((tally, { seed, step, blow }) => {
    const name = `${step.who} ${blow} at step ${step.number} (${step.what})`
    return added(tally, tallyOf(seed, strike(seed, step, blow), `${name}: `))
  }, emptyTally)
}

/** One schedule, or what was kept of it. */
export function runSeed(
  seed: number,
  kept?: Kept,
  mutant?: string,
  trace?: (line: string) => void,
): RunResult {
  const plan = planOf(seed)
  const sabotage = mutant === undefined ? {} : { sabotage: mutants[mutant]! }
  const own = kept === undefined ? plan : reduced(plan, kept)
  return runPlan(own, { ...sabotage, ...(trace ? { trace } : {}) })
}

/** The smallest part of a failing schedule that still fails, and what it does. */
export function shrunk(
  seed: number,
  mutant?: string,
): { readonly kept: string; readonly lines: readonly string[]; readonly violations: string[] } {
  const plan = planOf(seed)
  const sabotage = mutant === undefined ? {} : { sabotage: mutants[mutant]! }
  const kept = shrink(plan, (smaller) => runPlan(smaller, sabotage).violations.length > 0)
  const small = reduced(plan, kept)
  const steps = [...small.requests, ...small.faults].sort((a, b) => a.atMs - b.atMs)
  return {
    kept: keptText(kept),
    lines: steps.map((step) => JSON.stringify(step)),
    violations: [...runPlan(small, sabotage).violations],
  }
}

function tallyOf(seed: number, result: RunResult, name = ''): Tally {
  const violations = result.violations.map((violation) => name + violation)
  const { events, forecasts, fits, virtualMs, convergedMs } = result
  return {
    schedules: 1,
    failures: violations.length > 0 ? [{ seed, violations }] : [],
    events,
    forecasts,
    fits,
    virtualMs,
    convergedMsMax: convergedMs,
  }
}
