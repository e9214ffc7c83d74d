import type { Offered } from './plan.ts'

/** At full load without more, at 80% of that, at three times it, and at 80% again. */
export type Round = {
  readonly peak: Offered
  readonly calm: Offered
  readonly over: Offered
  readonly after: Offered
}

export type Seen = {
  readonly rounds: readonly Round[]
  readonly residentMb: number
  readonly growthMb: number
}

type Bounds = {
  readonly goodputMin: number
  /** After the first second, see `onsetMs`. */
  readonly slowerMax: number
  /** With the first second. */
  readonly slowestMsMax: number
  readonly refusalMsMax: number
  readonly refusedShareMax: number
  readonly answeredAfterMin: number
  readonly residentMbMax: number
  readonly growthMbMax: number
}

/**
 * Broker and node together hold some 1,000 MB under such a load, most of it buffers that wait for
 * the collector. What piled up what it refuses would pass this within half a minute.
 */
const residentMbMax = 1_500

export const promised: Bounds = {
  goodputMin: 0.9,
  slowerMax: 2,
  slowestMsMax: 1_000,
  refusalMsMax: 50,
  // At 80% on average there are moments above 100%.
  refusedShareMax: 0.001,
  answeredAfterMin: 0.99,
  residentMbMax,
  growthMbMax: 64,
}
/**
 * In one round of some seconds, a machine whose own speed changes by 40% within a minute says no
 * more than this: what collapses under overload is far beyond it.
 */
export const inShort: Bounds = {
  goodputMin: 0.6,
  slowerMax: 5,
  slowestMsMax: 1_000,
  refusalMsMax: 150,
  refusedShareMax: 0.1,
  answeredAfterMin: 0.89,
  residentMbMax,
  // Half a minute is shorter than the way to the most that buffers ever take.
  growthMbMax: Number.POSITIVE_INFINITY,
}

/** What is judged, each as its median over the rounds. */
export function mediansOf(rounds: readonly Round[]) {
  const median = (of: (round: Round) => number) => {
    const sorted = rounds.map(of).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  }
  return {
    goodput: median(({ over, peak }) => over.answeredPerSecond / peak.answeredPerSecond),
    slower: median(({ over, calm }) => over.settled.p99Ms / calm.settled.p99Ms),
    slowestMs: median(({ over }) => over.answers.maxMs),
    refusalMs: median(({ over }) => over.refusals.p99Ms),
    refusedShare: median(({ calm }) => calm.refused / calm.sent),
    answeredAfter: median(({ after }) => after.answered / after.sent),
  }
}

/**
 * What of the promise does not hold. Each round is compared with itself: the machine may be another
 * one minutes later. Nothing may fail in any of them. Pure.
 */
export function violationsOf(seen: Seen, bounds: Bounds = promised): string[] {
  const { rounds, residentMb, growthMb } = seen
  const { goodput, slower, slowestMs, refusalMs, refusedShare, answeredAfter } = mediansOf(rounds)
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`
  const judged: readonly (readonly [isBroken: boolean, what: string])[] = [
    [goodput < bounds.goodputMin, `goodput was ${goodput.toFixed(2)} of the peak`],
    [slower > bounds.slowerMax, `admitted p99 was ${slower.toFixed(2)} times that at 80% load`],
    [slowestMs > bounds.slowestMsMax, `the slowest answer took ${slowestMs} ms`],
    [refusalMs > bounds.refusalMsMax, `p99 of refusals was ${refusalMs} ms`],
    [
      refusedShare > bounds.refusedShareMax,
      `${percent(refusedShare)} were refused at 80% load before`,
    ],
    [
      answeredAfter < bounds.answeredAfterMin,
      `after the overload only ${percent(answeredAfter)} were answered at 80% load`,
    ],
    [residentMb > bounds.residentMbMax, `memory reached ${residentMb.toFixed(0)} MB`],
    [growthMb > bounds.growthMbMax, `memory grew by ${growthMb.toFixed(0)} MB`],
  ]
  return [
    ...rounds.flatMap(failuresOf),
    ...judged.filter(([isBroken]) => isBroken).map(([, what]) => what),
  ]
}

function failuresOf(round: Round): string[] {
  return Object.entries(round)
    .filter(([, { failed }]) => failed > 0)
    .map(([name, { failed, firstFailure }]) => `${name}: ${failed} failed: ${firstFailure}`)
}
