/**
 * What it costs to tell how well new observations were foreseen: a shard is updated with the scales
 * of its series, which are then scored, and without them, in turns; and one model likewise. CPU
 * time, so that other things on the machine disturb it less.
 */
import { parseArgs } from 'node:util'
import {
  type AnyModel,
  type AnySpec,
  decodeModel,
  decodeShard,
  encodeModel,
  encodeShard,
  encodeShardData,
  fitShard,
  type Outcome,
  parseSpec,
  type Shard,
  type ShardContent,
  scoreNews,
  updateModel,
  updateShard,
} from '../engine/src/index.ts'
import { monthlySeries } from './many-series/monthly.ts'
import { median } from './statistics.ts'

const { values } = parseArgs({
  options: {
    series: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '11' },
    families: { type: 'string', default: 'baseline,theta,ets,arima,automatic' },
  },
})
const count = Number(values.series)
const rounds = Number(values.rounds)
/** So many different series are fitted; the shard has them again and again. */
const different = Math.min(40, count)
const [known, most] = [48, 12]
const run = { seed: 1, workMax: 1e10 }

say(['family', 'news of a series', 'update, µs', 'scored, µs', 'more', 'one model, µs', 'scored'])
for (const family of values.families.split(',')) {
  const fitted = fittedShard(spec(family))
  for (const months of [1, most]) {
    const many = measureShard(fitted, spec(family), months)
    const one = measureOne(fitted, months)
    say([
      ...[family, `${months}`, many.plain.toFixed(1), many.scored.toFixed(1)],
      `${(100 * (many.scored / many.plain - 1)).toFixed(0)} %`,
      ...[one.plain.toFixed(1), one.scored.toFixed(1)],
    ])
  }
  const [scales, none] = [fitted, withoutScales(fitted)].map((one) => encodeShard(one).length)
  say([family, 'the shard', `${none} B`, `${scales} B`])
}

/** Microseconds of CPU a series, each a median over the rounds. */
function measureShard(content: ShardContent, by: AnySpec, months: number) {
  const news = shardOf(
    encodeShardData(
      content.keys.map((key, i) => ({
        ...{ key, start: null, frequency: null },
        y: [...monthlySeries(i % different).subarray(known, known + months)],
      })),
    ),
  )
  const [scaled, plain] = [content, withoutScales(content)].map((one) => shardOf(encodeShard(one)))
  const update = (base: Shard, counted: number) => {
    const { live } = updateShard(base, news, by, run)
    if (live.count !== counted) throw new Error(`${live.count} were scored, not ${counted}`)
  }
  const times = inTurns(
    () => update(plain!, 0),
    () => update(scaled!, count * months),
  )
  return { plain: times.plain / count, scored: times.scored / count }
}

/** The same of one model alone, as an update of one series works on it. */
function measureOne({ payloads }: ShardContent, months: number) {
  const y = monthlySeries(0).slice(known, known + months)
  const repeats = 500
  const work = (isScored: boolean) => {
    for (let i = 0; i < repeats; i++) {
      const model: AnyModel = must(decodeModel(payloads[0]!))
      if (isScored && scoreNews(model, y) === null) throw new Error('nothing was foreseen')
      encodeModel(must(updateModel(model, { y })))
    }
  }
  const times = inTurns(
    () => work(false),
    () => work(true),
  )
  return { plain: times.plain / repeats, scored: times.scored / repeats }
}

function inTurns(plain: () => void, scored: () => void) {
  const times: { plain: number[]; scored: number[] } = { plain: [], scored: [] }
  for (let round = 0; round <= rounds; round++) {
    const [first, second] = [cpuUs(plain), cpuUs(scored)]
    // The first round compiles.
    if (round === 0) continue
    times.plain.push(first)
    times.scored.push(second)
  }
  return { plain: median(times.plain), scored: median(times.scored) }
}

function cpuUs(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

function fittedShard(by: AnySpec): ShardContent {
  const some = Array.from({ length: different }, (_, i) => ({
    ...{ key: keyAt(i), start: '2019-01-01', frequency: 'monthly' as const },
    y: [...monthlySeries(i).subarray(0, known)],
  }))
  const { codes, content } = fitShard(shardOf(encodeShardData(some)), by, run)
  if (codes.ok !== different) throw new Error(`They were not fitted: ${JSON.stringify(codes)}`)
  const { columns, payloads } = content
  const places = Array.from({ length: count }, (_, i) => i % different)
  const cycled = Object.entries(columns).map(([name, column]) => {
    if (column instanceof Int32Array) return [name, Int32Array.from(places, (i) => column[i]!)]
    if (column instanceof Float64Array) return [name, Float64Array.from(places, (i) => column[i]!)]
    return [name, places.map((i) => column[i]!)]
  })
  return {
    keys: places.map((_, i) => keyAt(i)),
    columns: Object.fromEntries(cycled),
    payloads: places.map((i) => payloads[i]!),
  }
}

function keyAt(i: number): string {
  return `series=${String(i).padStart(7, '0')}`
}

function withoutScales({ columns, ...rest }: ShardContent): ShardContent {
  const { 'live-scale': _, ...others } = columns
  return { ...rest, columns: others }
}

function shardOf(bytes: Uint8Array): Shard {
  return must(decodeShard(bytes))
}

function spec(family: string): AnySpec {
  return must(parseSpec({ family, ...(family === 'arima' ? { p: 2, differenceLag: 12 } : {}) }))
}

function must<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'refused') throw new Error(outcome.reason.detail)
  return outcome.value
}

function say(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`)
}
