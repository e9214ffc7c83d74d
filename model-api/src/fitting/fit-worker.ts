/** The fitting thread: bytes of data, and of a base, in; bytes of a model, or of many, out. */
import { parentPort } from 'node:worker_threads'
import {
  decodeModel,
  decodeShard,
  describedSeries,
  encodeModel,
  encodeShard,
  faultOfData,
  faultOfModels,
  fitModel,
  fitShard,
  liveScale,
  parseSpec,
  type Shard,
  type ShardRun,
  scoreNews,
  updateModel,
  updateShard,
} from '@almanac/engine'
import { judgeSeries } from './backtest/judge-series.ts'
import { joinSeries } from './parts/join-series.ts'
import { type FitSeries, readDataset } from './read-dataset.ts'
import { type Calendar, FitControl, type FitReply, type FitRequest } from './worker-protocol.ts'
import { yieldProcessor } from './yield-processor.ts'

if (parentPort === null) throw new Error('this file is run by a thread, not by a process')
const parent = parentPort
yieldProcessor()

parent.on('message', (request: FitRequest) => {
  const reply = answer(request)
  parent.postMessage(reply, bytesOf(reply))
})

/** What is handed over, not copied. */
function bytesOf(reply: FitReply): ArrayBuffer[] {
  if (reply.kind === 'fitted') return [reply.model.buffer as ArrayBuffer]
  if (reply.kind === 'joined')
    return [...reply.full, ...(reply.rest ? [reply.rest] : [])].map(({ bytes }) => bytes.buffer)
  return reply.kind === 'fitted-shard' ? [reply.shard.buffer as ArrayBuffer] : []
}

function answer(request: FitRequest): FitReply {
  try {
    const { base, passedOver, backtest, join } = request
    if (join !== undefined) return joinSeries(request.id, request.dataset, join)
    if (backtest !== undefined) return judgeSeries(request, backtest)
    if (passedOver !== null) return fitSeriesOf(request, passedOver)
    return base === null ? fit(request) : update(request, base)
  } catch (error) {
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return { kind: 'crashed', id: request.id, detail }
  }
}

function fit({ id, dataset, spec, seed, workMax, control: memory }: FitRequest): FitReply {
  const control = new FitControl(memory)
  const series = readDataset(dataset)
  if ('fault' in series) return { kind: 'refused', id, code: 'bad-dataset', detail: series.fault }
  const parsed = parseSpec(spec)
  if (parsed.kind === 'refused') return refused(id, parsed.reason)
  const described = describedSeries(series)
  const fitted = fitModel(described, parsed.value, {
    seed,
    workMax,
    shouldStop: () => control.shouldStop(),
    onProgress: (fraction) => control.setProgress(fraction),
  })
  if (fitted.kind === 'refused') return refused(id, fitted.reason)
  // A fit that ran out of its budget is as good as it gets; one that was told to stop is dropped.
  if (fitted.kind === 'stopped' && control.shouldStop()) return { kind: 'stopped', id }
  const model = Uint8Array.from(encodeModel(fitted.value))
  const { report } = fitted
  const scale = liveScale(described)
  return { kind: 'fitted', id, model, report, calendar: calendarOf(series), scale }
}

/** Series by series: what is wrong with one is in its result. */
function fitSeriesOf(request: FitRequest, passedOver: ReadonlyMap<number, string>): FitReply {
  const { id, spec, seed, workMax, bounds } = request
  const control = new FitControl(request.control)
  const data = readShard(request.dataset, faultOfData)
  if (data.kind === 'refused') return refused(id, data.reason)
  const base = request.base && readShard(request.base, faultOfModels)
  if (base?.kind === 'refused') return refused(id, base.reason)
  const parsed = parseSpec(spec)
  if (parsed.kind === 'refused') return refused(id, parsed.reason)
  const run: ShardRun = {
    ...{ seed, workMax, passedOver, ...(bounds ? { bounds } : {}) },
    shouldStop: () => control.shouldStop(),
    onProgress: (fraction) => control.setProgress(fraction),
    onSeries: (place) => control.setPlace(place),
  }
  const { content, codes, live, isStopped } = base
    ? updateShard(base.value, data.value, parsed.value, run)
    : fitShard(data.value, parsed.value, run)
  if (isStopped) return { kind: 'stopped', id }
  return { kind: 'fitted-shard', id, shard: Uint8Array.from(encodeShard(content)), codes, live }
}

function readShard(
  bytes: Uint8Array,
  faultOf: (shard: Shard) => string | undefined,
): ReturnType<typeof decodeShard> {
  const decoded = decodeShard(bytes)
  const detail = decoded.kind === 'refused' ? undefined : faultOf(decoded.value)
  return detail === undefined
    ? decoded
    : { kind: 'refused', reason: { code: 'bad-dataset', detail } }
}

/** The parameters stay; only the state moves on, at a cost of the new observations. */
function update({ id, dataset, bounds }: FitRequest, base: Uint8Array): FitReply {
  const series = readDataset(dataset)
  if ('fault' in series) return { kind: 'refused', id, code: 'bad-dataset', detail: series.fault }
  const decoded = decodeModel(base)
  if (decoded.kind === 'refused') return refused(id, decoded.reason)
  const newer = describedSeries(series)
  const score = scoreNews(decoded.value, newer.y, bounds)
  const updated = updateModel(decoded.value, newer)
  if (updated.kind === 'refused') return refused(id, updated.reason)
  const model = Uint8Array.from(encodeModel(updated.value))
  return { kind: 'fitted', id, model, report: updated.report, calendar: null, score }
}

function refused(id: number, reason: { code: string; detail: string }): FitReply {
  return { kind: 'refused', id, code: reason.code, detail: reason.detail }
}

function calendarOf(series: FitSeries): Calendar | null {
  const { start, frequency, timezone, y } = series
  if (start === null || frequency === null) return null
  return { start, frequency, ...(timezone ? { timezone } : {}), steps: y.length }
}
