/**
 * A fitting thread whose models are as large as the key of their series asks: `megabytes-200`. No
 * family needs so much for a million observations; what is added are repairs, which an automatic
 * model may have millions of, so that everything after the fit is as it always is.
 */
import { parentPort } from 'node:worker_threads'
import { describedSeries, encodeModel, fitModel, parseSpec } from '@almanac/engine'
import { readDataset } from '../../model-api/src/fitting/read-dataset.ts'
import type { FitReply, FitRequest } from '../../model-api/src/fitting/worker-protocol.ts'
import { padded } from './padding.ts'

parentPort?.on('message', (request: FitRequest) => {
  const reply = answer(request)
  parentPort?.postMessage(reply, reply.kind === 'fitted' ? [reply.model.buffer as ArrayBuffer] : [])
})

function answer({ id, dataset, spec, seed, workMax }: FitRequest): FitReply {
  const series = readDataset(dataset)
  if ('fault' in series) return { kind: 'refused', id, code: 'bad-dataset', detail: series.fault }
  const parsed = parseSpec(spec)
  if (parsed.kind === 'refused') return { kind: 'refused', id, ...parsed.reason }
  const fitted = fitModel(describedSeries(series), parsed.value, { seed, workMax })
  if (fitted.kind === 'refused') return { kind: 'refused', id, ...fitted.reason }
  const megabytes = Number(/^megabytes-(\d+)$/.exec(series.key ?? '')?.[1] ?? 0)
  const model = encodeModel(padded(fitted.value, megabytes))
  const own = new Uint8Array(model)
  return { kind: 'fitted', id, model: own, report: fitted.report, calendar: null }
}
