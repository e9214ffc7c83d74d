import { parseArgs } from 'node:util'
import { kindOf, lengthFeature, shownScale } from '../../engine/src/automatic/calibrate.ts'
import { makeMedian, type Voices, voicesOf } from '../../engine/src/automatic/combine.ts'
import { disagreementShare, type Kind, patience } from '../../engine/src/automatic/constants.ts'
import { fitAutomatic, fitMember } from '../../engine/src/automatic/fit.ts'
import { memberSeries } from '../../engine/src/automatic/model.ts'
import { noRepairs } from '../../engine/src/automatic/repairs.ts'
import { type Refit, rollOrigins, scoreAt } from '../../engine/src/automatic/rolling.ts'
import { automaticDefaults } from '../../engine/src/automatic/spec.ts'
import { studentQuantile } from '../../engine/src/numeric/student.ts'
import { type GeneratedFrequency, generateSeries } from './generator.ts'
import { quantileRegression } from './quantile-regression.ts'

/**
 * Prints the constants of `engine/src/automatic/constants.ts`, learned from generated series:
 *
 *     node bench/engine/learn.ts [--count 150] [--seed 1] [--frequency weekly,hourly]
 *
 * Each series is fitted without what comes after its end. The errors of the combination there, in
 * units of its own spread, are regressed on what is known at the end, at the quantiles of 80% and
 * 95% of their size: the first gives the scale, both together the degrees of freedom.
 */
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    frequency: { type: 'string' },
  },
})
const run = { seed: 1, workMax: 1e9 }
const tails = Float64Array.of(0.1, 0.9)

/** One error to come: its size in logarithms, and the features of its series and step. */
type Row = { logSize: number; shown: number; length: number; logStep: number }

const rows = new Map<Kind, Row[]>()
const counts: Readonly<Record<GeneratedFrequency, number>> = {
  yearly: 3,
  quarterly: 1,
  monthly: 1,
  weekly: 0.15,
  daily: 0.3,
  'daily for years': 0.1,
  hourly: 0.15,
}
const asked = values.frequency?.split(',')
for (const [frequency, share] of Object.entries(counts)) {
  if (asked?.includes(frequency) === false) continue
  const wanted = Math.round(share * Number(values.count))
  for (let i = 0; i < wanted; i++) gather(frequency as GeneratedFrequency, i)
}
for (const [kind, gathered] of rows) console.log(kind, JSON.stringify(learn(gathered)))

function gather(frequency: GeneratedFrequency, i: number): void {
  const seed = Number(values.seed) * 1_000_003 + i * 7 + frequency.length * 100_000_007
  const { y, train, seasons } = generateSeries(frequency, seed)
  const series = { y: y.slice(0, train), seasons }
  const fitted = fitAutomatic(series, automaticDefaults, run)
  if (fitted.kind === 'refused') return
  const model = fitted.value
  const horizon = y.length - train
  const voices = voicesOf(model.members, { horizon, quantiles: tails }, run)
  if (voices.kind === 'refused') return
  const rolling = rollOrigins(
    model.members,
    {
      seen: memberSeries(model, series),
      shown: memberSeries({ ...model, repairs: noRepairs }, series).y,
    },
    disagreementShare,
    run,
    refit(model.seasons),
  )
  const kind = kindOf(model.rung, model.seasons, train)
  const shown = shownScale(rolling)
  const median = makeMedian(voices.value.weights)
  const into = rows.get(kind) ?? []
  rows.set(kind, into)
  for (let h = 0; h < horizon; h++) {
    const score = sizeAt(voices.value, median, h, y[train + h]!)
    if (!(score > 0) || !Number.isFinite(score)) continue
    into.push({
      logSize: Math.log(score),
      // The one to four refits of a short series say nothing of what comes: they are not heard.
      shown: kind === 'short' ? 0 : shown.weight * Math.log(shown.scale),
      length: lengthFeature(kind, train),
      logStep: Math.log(h + 1),
    })
  }
}

function refit(seasons: readonly number[]): Refit {
  return (name, series) => fitMember(name, series, seasons, run)
}

function sizeAt(
  voices: Voices,
  median: ReturnType<typeof makeMedian>,
  h: number,
  value: number,
): number {
  return Math.abs(scoreAt(voices, median, h, value, disagreementShare))
}

function learn(gathered: readonly Row[]) {
  const features = gathered.map(({ shown, length, logStep }) => [1, shown, length, logStep])
  const sizes = gathered.map(({ logSize }) => logSize)
  const [level80 = 0, follow = 0, length = 0, growth = 0] = quantileRegression(features, sizes, 0.8)
  const rests = gathered.map(
    (row) => row.logSize - follow * row.shown - length * row.length - growth * row.logStep,
  )
  rests.sort((a, b) => a - b)
  const level95 = rests[Math.floor(0.95 * rests.length)]!
  const degrees = degreesOf(Math.exp(level95 - level80))
  const level = level80 - Math.log(studentQuantile(0.9, degrees))
  const round = (value: number) => Number(value.toFixed(3))
  return {
    rows: rests.length,
    level: round(level),
    follow: round(follow),
    length: round(length),
    growth: round(growth),
    degrees: round(degrees),
  }
}

/** The degrees of freedom at which the quantiles of 95% and 80% have a ratio. */
function degreesOf(ratio: number): number {
  let low = 1.05
  let high = 200
  for (let i = 0; i < 60; i++) {
    const middle = Math.sqrt(low * high)
    const at = studentQuantile(0.975, middle) / studentQuantile(0.9, middle)
    if (at > ratio) low = middle
    else high = middle
  }
  return Math.sqrt(low * high)
}

console.log(`patience ${patience}, disagreement ${disagreementShare}, count ${values.count}`)
