import { compareKeys, decodeModel, decodeShard, forecastModel, type Shard } from '@almanac/engine'
import { decodeShardIndex, type ShardRef, type VersionRecord } from '@almanac/shared'
import { shardsOf as seriesOf } from '../cluster/fitter.ts'
import { tableOf } from '../cluster/table-file.ts'
import type { Plan } from '../schedule/plan.ts'
import type { Blobs } from '../store/blobs.ts'
import { basesFrom, type Judged } from './judge-forecasts.ts'

/**
 * Every stored version of many series has every series of its data and of its bases, each with the
 * model of its newest data.
 */
export function judgeShards(judged: Judged, blobs: Blobs, plan: Plan): string[] {
  const faults: string[] = []
  for (const [id, model] of judged.ledger.models)
    for (const version of model.versions.values()) {
      if (version.series === undefined || version.blob === null) continue
      // Joined data is that of the versions before it.
      const chain = basesFrom(model, version).filter(
        ({ version: one, base }) => base || !model.parts.has(one),
      )
      const fault = faultOf(version, chain, { judged, blobs, plan })
      if (fault) faults.push(`version ${version.version} of ${id}: ${fault}`)
    }
  return faults
}

type Known = { readonly judged: Judged; readonly blobs: Blobs; readonly plan: Plan }

function faultOf(
  { blob, series, table }: VersionRecord,
  chain: readonly VersionRecord[],
  { judged, blobs, plan }: Known,
): string | undefined {
  const models = shardsOf(blobs, 'model', blob!)
  const values = valuesOf(chain, judged, blobs)
  if (!models || !values) return 'an index of it cannot be read'
  const keys = models.flatMap(keysOf)
  const wanted = [...values.keys()].sort(compareKeys)
  if (keys.join() !== wanted.join() || keys.length !== series)
    return `it has models of ${keys.join()}`
  // That its data is all of its table cannot be seen from its data.
  const inTable = table && seriesIn(table.file)
  if (inTable !== undefined && inTable !== series) return `its table has ${inTable} series`
  for (const shard of models)
    for (const [place, key] of keysOf(shard).entries()) {
      const model = decodeModel(shard.payloadAt(place))
      if (model.kind === 'refused') return `${key} has no model`
      const forecast = forecastModel(model.value, { horizon: 1, quantiles: new Float64Array() })
      const said = forecast.kind === 'refused' ? undefined : forecast.value.point[0]
      const code = shard.columns.get('code')?.[place]
      if (code !== 'ok' && !plan.faults.some(({ kind }) => losesProcess.has(kind)))
        return `${key} has the code ${code}, and no process was lost`
      // What was passed over may be as it was before.
      const [newest, ...older] = values.get(key)!
      const isRight = said === newest || (code !== 'ok' && older.some((value) => value === said))
      if (!isRight) return `${key} is ${said}, not ${newest}`
    }
  return undefined
}

function seriesIn(file: string): number {
  const { value, shards } = tableOf(file)
  return seriesOf(value, shards).series
}

/** Of each series what its data say, that of the version first and that of the last base last. */
function valuesOf(
  chain: readonly VersionRecord[],
  { numberIn }: Judged,
  blobs: Blobs,
): ReadonlyMap<string, readonly number[]> | undefined {
  const values = new Map<string, number[]>()
  for (const { dataset } of chain) {
    const data = shardsOf(blobs, 'dataset', dataset.blob)
    const value = numberIn(dataset.blob)
    if (!data || value === undefined) return undefined
    for (const key of data.flatMap(keysOf)) values.set(key, [...(values.get(key) ?? []), value])
  }
  return values
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
