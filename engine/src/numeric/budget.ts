import type { Run } from '../family.ts'
import { limits } from '../limits.ts'

/** What a fit has spent, and whether it has to end. */
export type Budget = {
  /** Spends some points of one likelihood; false once the fit has to end, from then on always. */
  spend(points: number): boolean
  /** Work beside the likelihoods: spends nothing, asks as often; false once the fit has to end. */
  look(points: number): boolean
  /** Points spent so far: likelihood evaluations × observations. */
  readonly spent: () => number
  /** Why the fit had to end; undefined while it has not. */
  readonly ended: () => 'asked' | 'budget' | undefined
}

/** The budget of one run. Deterministic, unless `shouldStop` says stop. */
export function makeBudget(run: Pick<Run, 'workMax' | 'shouldStop'>): Budget {
  let spent = 0
  let sincePoll: number = limits.pollPoints
  let ended: 'asked' | 'budget' | undefined
  function look(points: number): boolean {
    if (ended !== undefined) return false
    sincePoll += points
    if (sincePoll >= limits.pollPoints) {
      sincePoll = 0
      if (run.shouldStop?.() === true) ended = 'asked'
    }
    return ended === undefined
  }
  return {
    spend(points) {
      if (ended !== undefined) return false
      spent += points
      if (spent > run.workMax) ended = 'budget'
      return look(points)
    },
    look,
    spent: () => spent,
    ended: () => ended,
  }
}
