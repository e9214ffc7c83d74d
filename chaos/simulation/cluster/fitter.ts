import {
  type AnySpec,
  decodeShard,
  describedSeries,
  encodeModel,
  encodeShard,
  encodeShardData,
  fitModel,
  fitShard,
  parseSpec,
  seriesAt,
  updateShard,
} from '@almanac/engine'
import type { Dataset } from '@almanac/shared'
import type { ManyNews } from '../../../broker/src/jobs/news.ts'
import type { ManySeries } from '../../../broker/src/jobs/store-data.ts'
import { judgeSeries } from '../../../model-api/src/fitting/backtest/judge-series.ts'
import type { Fitter, FitWork } from '../../../model-api/src/fitting/fit-pool.ts'
import { joinSeries } from '../../../model-api/src/fitting/parts/join-series.ts'
import { readDataset } from '../../../model-api/src/fitting/read-dataset.ts'
import { FitControl, type FitReply } from '../../../model-api/src/fitting/worker-protocol.ts'
import type { Process, World } from '../world/world.ts'

/** What a fit is going to be like, told by its data. */
export type FitCourse = {
  readonly ms: number
  readonly end: 'fitted' | 'refused' | 'crashed'
  /** How badly the news were foreseen that it is of. */
  readonly liveMase?: number
  /** How it ends where the data is joined with news. */
  readonly joins?: 'crashed'
}

export type FitterParts = {
  readonly world: World
  readonly process: Process
  readonly courseOf: (value: number) => FitCourse
}

/** A series whose model is known without fitting: it has been `value` all the time. */
export const seriesOf = (value: number): Dataset => ({
  format: 1,
  series: [{ key: null, start: null, frequency: null, y: [value, value, value, value] }],
})

/** Stands for the threads: takes virtual time, and gives what the engine gives. */
export function createFitter({ world, process, courseOf }: FitterParts): Fitter {
  return {
    fit: (work, signal, onStart) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const { value, reply } = fitted(work)
        const { ms, end: planned, joins, liveMase } = courseOf(value)
        const end = work.join ? (joins ?? planned) : planned
        onStart?.({ progress: () => 0.5, place: () => -1 })
        const stop = () => {
          done.cancelled = true
          reject(signal.reason)
        }
        const done = world.after(ms, process, () => {
          signal.removeEventListener('abort', stop)
          const id = 1
          if (end === 'crashed') resolve({ kind: 'crashed', id, detail: 'as it was planned' })
          else if (end === 'refused')
            resolve({ kind: 'refused', id, code: 'too-short', detail: 'as it was planned' })
          else resolve({ ...reply, id, ...(work.base ? foreseen(reply, liveMase) : {}) })
        })
        signal.addEventListener('abort', stop, { once: true })
      }),
    close: async () => {},
  }
}

/** What cannot be learned from series that never change. */
function foreseen(reply: FitReply, liveMase: number | undefined) {
  if (reply.kind !== 'fitted-shard' || liveMase === undefined) return {}
  return { live: { count: newsCount, scaled: newsCount * liveMase } }
}

const newsCount = 4

/** As the thread gives it, but for the id of the question. */
type Fitted = { readonly value: number; readonly reply: FitReply }

const known = new Map<string, Fitted>()

/** Fits are repeatable, so each is done once for all simulations. */
function fitted(work: FitWork): Fitted {
  const passedOver = work.passedOver && [...work.passedOver]
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
  const base = work.base && text(work.base)
  const { backtest } = work
  const trial = backtest && JSON.stringify({ ...backtest, later: backtest.later.map(text) })
  const joined = work.join && JSON.stringify([...work.join.later, work.join.rest].map(textOf))
  const name = `${text(work.dataset)} ${JSON.stringify(passedOver)} ${base} ${trial} ${joined}`
  const make = makerOf(work)
  const made = known.get(name) ?? make(work)
  known.set(name, made)
  return made
}

const textOf = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('latin1')

function makerOf({ backtest, join, passedOver }: FitWork): (work: FitWork) => Fitted {
  if (join) return joinedShards
  if (backtest) return judgedShard
  return passedOver ? fittedShard : fittedSeries
}

function joinedShards({ dataset, join }: FitWork): Fitted {
  const data = decodeShard(dataset)
  if (data.kind === 'refused' || !join) throw new Error('the simulation made a bad shard')
  const sizes = { ...join.sizes, series: joinedSeriesMax }
  const reply = joinSeries(1, dataset, { ...join, sizes })
  return { value: seriesAt(data.value, 0).y[0]!, reply }
}

/** Few, so that there are shards of several sizes. */
const joinedSeriesMax = 3

function fittedSeries({ dataset }: FitWork): Fitted {
  const series = readDataset(dataset)
  if ('fault' in series) throw new Error(`the simulation made bad data: ${series.fault}`)
  const run = { seed: 1, workMax: 1e9 }
  const outcome = fitModel(describedSeries(series), parsedSpec(), run)
  if (outcome.kind === 'refused') throw new Error('the simulation made data that cannot be fitted')
  const model = Uint8Array.from(encodeModel(outcome.value))
  const reply: FitReply = { kind: 'fitted', id: 1, model, report: {}, calendar: null }
  return { value: series.y[0] as number, reply }
}

function fittedShard({ dataset, base, passedOver }: FitWork): Fitted {
  const data = decodeShard(dataset)
  const before = base && decodeShard(base)
  if (data.kind === 'refused' || before?.kind === 'refused')
    throw new Error('the simulation made a bad shard')
  const run = { seed: 1, workMax: 1e9, ...(passedOver ? { passedOver } : {}) }
  const { content, codes } = before
    ? updateShard(before.value, data.value, parsedSpec(), run)
    : fitShard(data.value, parsedSpec(), run)
  const shard = Uint8Array.from(encodeShard(content))
  const value = seriesAt(data.value, 0).y[0]!
  return { value, reply: { kind: 'fitted-shard', id: 1, shard, codes } }
}

function judgedShard(work: FitWork): Fitted {
  const data = decodeShard(work.dataset)
  if (data.kind === 'refused' || !work.backtest) throw new Error('the simulation made a bad shard')
  const request = { ...work, id: 1, control: new FitControl().memory }
  return { value: seriesAt(data.value, 0).y[0]!, reply: judgeSeries(request, work.backtest) }
}

export function parsedSpec(): AnySpec {
  const spec = parseSpec(simpleSpec)
  if (spec.kind === 'refused') throw new Error(spec.reason.detail)
  return spec.value
}

const simpleSpec = { family: 'baseline', method: 'naive' }

/** The key of the series at some place of some shard. */
const keyOf = (shard: number, place: number) => `s=${shard}.${place}`

/** News of one of many series: from now on it is `value`. */
export function newsOf(value: number, key: string): ManyNews {
  const y = [value, value, value, value]
  const bytes = new Uint8Array(encodeShardData([{ key, y, start: null, frequency: null }]))
  return { kind: 'many', series: 1, observations: y.length, bytes }
}

/** Many series that are all `value` all the time, in so many shards, each larger than the last. */
export function shardsOf(value: number, count: number): ManySeries {
  const y = [value, value, value, value]
  const about = { start: null, frequency: null }
  const shards = Array.from({ length: count }, (_, shard) => {
    const keys = Array.from({ length: shard + 1 }, (_, place) => keyOf(shard, place))
    const bytes = Uint8Array.from(encodeShardData(keys.map((key) => ({ key, y, ...about }))))
    return { first: keyOf(shard, 0), series: keys.length, bytes }
  })
  const series = shards.reduce((sum, shard) => sum + shard.series, 0)
  return { kind: 'many', series, observations: 4 * series, shards }
}
