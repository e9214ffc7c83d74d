import { overallWeightedAverage } from '../../engine/src/evaluate/metrics.ts'
import { uniformAt } from '../../engine/src/numeric/random.ts'
import { median } from '../statistics.ts'
import type { Scored } from './scoring.ts'

/** A model's scores over a set of splits. */
export type Summary = {
  readonly count: number
  /** Geometric mean of MASE by seasonal naive's MASE, both floored; with a 90% interval. */
  readonly gm: number
  readonly gmLow: number
  readonly gmHigh: number
  readonly owa: number
  readonly meanMase: number
  readonly medianMase: number
  readonly coverage80: number
  readonly coverage95: number
  readonly msis: number
  readonly scaledPinball: number
  readonly cpuSeconds: number
}

/** Ours by a peer's on the splits that both have. */
export type Ratio = {
  readonly count: number
  readonly gm: number
  readonly gmLow: number
  readonly gmHigh: number
  readonly owa: number
  readonly msis: number
  readonly scaledPinball: number
}

/** MASE below this is as good as perfect: it must not decide a geometric mean alone. */
const maseFloor = 0.02
const resamples = 1_000
const bootstrapSeed = 20_240_501

export function summarise(scored: readonly Scored[]): Summary {
  const logs = scored.map(logRatio)
  const [gmLow, gmHigh] = bootstrap(logs)
  const mases = scored.map(({ scores }) => scores.mase)
  return {
    count: scored.length,
    gm: Math.exp(mean(logs)),
    gmLow,
    gmHigh,
    owa: owa(scored),
    meanMase: mean(mases),
    medianMase: median(mases),
    coverage80: mean(scored.map(({ scores }) => levelOf(scores, 80).coverage)),
    coverage95: mean(scored.map(({ scores }) => levelOf(scores, 95).coverage)),
    msis: mean(scored.map(({ scores }) => levelOf(scores, 95).msis)),
    scaledPinball: mean(scored.map(({ scores }) => scores.scaledPinball)),
    cpuSeconds: scored.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  }
}

export function compare(ours: readonly Scored[], theirs: readonly Scored[]): Ratio | undefined {
  const byId = new Map(theirs.map((scored) => [scored.split.split.id, scored]))
  const mine = ours.filter(({ split }) => byId.has(split.split.id))
  const peer = mine.flatMap(({ split }) => byId.get(split.split.id) ?? [])
  if (mine.length === 0) return undefined
  const logs = mine.map((scored, i) => logRatio(scored) - logRatio(peer[i]!))
  const [gmLow, gmHigh] = bootstrap(logs)
  const [a, b] = [summarise(mine), summarise(peer)]
  return {
    count: mine.length,
    gm: Math.exp(mean(logs)),
    gmLow,
    gmHigh,
    owa: a.owa / b.owa,
    msis: a.msis / b.msis,
    scaledPinball: a.scaledPinball / b.scaledPinball,
  }
}

/** Relative to Naive2, whose means are taken over the same splits. */
function owa(scored: readonly Scored[]): number {
  const means = (pick: (scored: Scored) => { mase: number; smape: number }) => ({
    mase: mean(scored.map((one) => pick(one).mase)),
    smape: mean(scored.map((one) => pick(one).smape)),
  })
  return overallWeightedAverage(
    means(({ scores }) => scores),
    means(({ split }) => split.naive2),
  )
}

function logRatio({ scores, split }: Scored): number {
  return Math.log(Math.max(scores.mase, maseFloor) / Math.max(split.seasonalNaiveMase, maseFloor))
}

/** The 5% and 95% quantiles of the geometric mean over resampled series. */
function bootstrap(logs: readonly number[]): [number, number] {
  const means = Array.from({ length: resamples }, (_, path) => {
    let sum = 0
    for (let step = 0; step < logs.length; step++) {
      sum += logs[Math.floor(uniformAt(bootstrapSeed, path, step) * logs.length)]!
    }
    return sum / logs.length
  }).sort((a, b) => a - b)
  const at = (p: number) => Math.exp(means[Math.floor(p * resamples)] ?? Number.NaN)
  return [at(0.05), at(0.95)]
}

function levelOf(scores: Scored['scores'], level: number) {
  return scores.levels.find((one) => one.level === level) ?? { coverage: NaN, msis: NaN }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
