import { decodeModel, decodeShard, forecastModel, type Shard } from '@almanac/engine'
import { decodeShardIndex, type ShardRef, type VersionRecord } from '@almanac/shared'
import type { Plan } from '../schedule/plan.ts'
import type { Blobs } from '../store/blobs.ts'
import type { Judged } from './judge-forecasts.ts'

/** Every stored version of many series has every series of its data, each with its own model. */
export function judgeShards({ ledger, numberIn }: Judged, blobs: Blobs, plan: Plan): string[] {
  const faults: string[] = []
  for (const [id, { versions }] of ledger.models)
    for (const version of versions.values()) {
      if (version.series === undefined || version.blob === null) continue
      const fault = faultOf(version, blobs, numberIn(version.dataset.blob), plan)
      if (fault) faults.push(`version ${version.version} of ${id}: ${fault}`)
    }
  return faults
}

function faultOf(
  { dataset, blob, series }: VersionRecord,
  blobs: Blobs,
  value: number | undefined,
  plan: Plan,
): string | undefined {
  const data = shardsOf(blobs, 'dataset', dataset.blob)
  const models = shardsOf(blobs, 'model', blob!)
  if (!data || !models || value === undefined) return 'an index of it cannot be read'
  const keys = models.flatMap((shard) => keysOf(shard))
  if (keys.join() !== data.flatMap(keysOf).join() || keys.length !== series)
    return `it has models of ${keys.join()}`
  for (const shard of models)
    for (let place = 0; place < shard.count; place += 1) {
      const key = shard.keyAt(place)
      const model = decodeModel(shard.payloadAt(place))
      if (model.kind === 'refused') return `${key} has no model`
      const forecast = forecastModel(model.value, { horizon: 1, quantiles: new Float64Array() })
      const said = forecast.kind === 'refused' ? undefined : forecast.value.point[0]
      if (said !== value) return `${key} is ${said}, not ${value}`
      const code = shard.columns.get('code')?.[place]
      if (code !== 'ok' && !plan.faults.some(({ kind }) => losesProcess.has(kind)))
        return `${key} has the code ${code}, and no process was lost`
    }
  return undefined
}

const losesProcess: ReadonlySet<string> = new Set(['crash', 'pause', 'drain'])

const keysOf = (shard: Shard) => Array.from({ length: shard.count }, (_, i) => shard.keyAt(i))

function shardsOf(blobs: Blobs, kind: 'dataset' | 'model', blob: string): Shard[] | undefined {
  const bytes = blobs.contentOf({ kind, id: blob })
  const index = bytes && decodeShardIndex(bytes)
  if (!index?.ok) return undefined
  const read = ({ blob: id }: ShardRef) => {
    const content = blobs.contentOf({ kind, id })
    const shard = content && decodeShard(content)
    return shard && shard.kind !== 'refused' ? [shard.value] : []
  }
  const shards = index.value.shards.flatMap(read)
  return shards.length === index.value.shards.length ? shards : undefined
}
