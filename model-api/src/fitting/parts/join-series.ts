import { cutSeries, decodeShard, faultOfData, knownSeries, type Shard } from '@almanac/engine'
import type { FitReply, JoinWork } from '../worker-protocol.ts'

/** Joins and cuts shards of data, in the fitting thread. */
export function joinSeries(
  id: number,
  dataset: Uint8Array,
  { later, rest, sizes }: JoinWork,
): FitReply {
  const shards: Shard[] = []
  for (const bytes of [dataset, ...later, ...(rest ? [rest] : [])]) {
    const decoded = decodeShard(bytes)
    const fault = decoded.kind === 'refused' ? decoded.reason.detail : faultOfData(decoded.value)
    if (decoded.kind === 'refused' || fault !== undefined)
      return { kind: 'refused', id, code: 'bad-dataset', detail: fault ?? '' }
    shards.push(decoded.value)
  }
  const before = rest ? knownSeries(shards.pop()!, []) : []
  const [base, ...news] = shards
  return { kind: 'joined', id, ...cutSeries([...before, ...knownSeries(base!, news)], sizes) }
}
