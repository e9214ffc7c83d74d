import { compareKeys, decodeShard, seriesAt } from '@almanac/engine'
import { decodeShardIndex } from '@almanac/shared'
import type { Blobs } from '../store/blobs.ts'
import type { Ledger, ModelLedger } from './ledger.ts'

type Values = ReadonlyMap<string, readonly number[]>

/**
 * A fit of data that came in parts has every series and every observation of them, in their order,
 * and nothing else.
 */
export function judgeRefits(ledger: Ledger, blobs: Blobs): string[] {
  return [...ledger.models].flatMap(([id, model]) =>
    [...model.versions.values()].flatMap((version) => {
      const parts = version.parts ? undefined : model.parts.get(version.version)
      if (parts === undefined || version.base || version.series === undefined) return []
      const fault = faultOf(version.dataset.blob, dataOf(model, parts), blobs)
      return fault === undefined ? [] : [`version ${version.version} of ${id}: ${fault}`]
    }),
  )
}

/** The data sets of the parts; what was joined before is what it was joined of. */
const dataOf = ({ versions }: ModelLedger, parts: readonly number[]) =>
  parts.map((part) => versions.get(part)?.dataset.blob ?? 'none')

function faultOf(joined: string, parts: readonly string[], blobs: Blobs): string | undefined {
  const wanted = new Map<string, readonly number[]>()
  for (const part of parts) {
    const values = valuesIn(part, blobs)
    if (values === undefined) return `its part ${part} cannot be read`
    for (const [key, y] of values) wanted.set(key, [...(wanted.get(key) ?? []), ...y])
  }
  const found = valuesIn(joined, blobs)
  if (found === undefined) return 'its data cannot be read'
  const keys = [...wanted.keys()].sort(compareKeys).join()
  if ([...found.keys()].join() !== keys) return `it is of ${[...found.keys()]}, not ${keys}`
  for (const [key, y] of wanted)
    if (found.get(key)!.join() !== y.join()) return `${key} is ${found.get(key)}, not ${y}`
  return undefined
}

/** Of each series all observations, in the order of the shards. */
function valuesIn(blob: string, blobs: Blobs): Values | undefined {
  const bytes = blobs.contentOf({ kind: 'dataset', id: blob })
  const index = bytes && decodeShardIndex(bytes)
  if (!index?.ok) return undefined
  const values = new Map<string, readonly number[]>()
  for (const { blob: id } of index.value.shards) {
    const content = blobs.contentOf({ kind: 'dataset', id })
    const shard = content && decodeShard(content)
    if (!shard || shard.kind === 'refused') return undefined
    for (let place = 0; place < shard.value.count; place += 1)
      values.set(shard.value.keyAt(place), [...seriesAt(shard.value, place).y])
  }
  return values
}
