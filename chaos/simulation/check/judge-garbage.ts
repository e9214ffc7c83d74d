import { decodeBacktestResult, decodeShardIndex, type VersionRecord } from '@almanac/shared'
import type { Blobs } from '../store/blobs.ts'
import type { Ledger } from './ledger.ts'

/** After a sweep of all that may be swept: what somebody needs is there, and nothing else. */
export function judgeGarbage(ledger: Ledger, blobs: Blobs): string[] {
  const needed = new Set<string>()
  const spared = new Set(ledger.shards.blobs())
  for (const { record, versions, present } of ledger.models.values())
    for (const number of present) {
      if (record?.deletedAt != null || number <= (record?.floor ?? 0)) continue
      const version = versions.get(number)!
      for (const id of namedBy(version, blobs)) needed.add(id)
      if (version.base)
        for (const id of withShards('model', version.base.blob, blobs)) spared.add(id)
    }
  for (const { state, backtest } of ledger.jobs.values()) {
    if (backtest === undefined) continue
    spared.add(backtest.input)
    if (state === 'done' && backtest.result)
      for (const id of resultBlobs(backtest.result.blob, blobs)) needed.add(id)
  }
  const left = new Set(blobs.ids())
  const lost = [...needed].filter((id) => !left.has(id))
  const kept = [...left].filter((id) => !needed.has(id) && !spared.has(id))
  return [
    ...lost.map((id) => `the blob ${id} was swept, and is needed`),
    ...kept.map((id) => `the blob ${id} was not swept, and nobody needs it`),
  ]
}

function namedBy(version: VersionRecord, blobs: Blobs): string[] {
  const { dataset, parts = [], blob, table, series } = version
  const ofTable = table ? [table.source, table.report, table.rejects] : []
  const isMany = series !== undefined
  const inParts = parts.flatMap((part) => withShards('dataset', part.blob, blobs))
  const data = isMany ? withShards('dataset', dataset.blob, blobs) : [dataset.blob, ...inParts]
  const models = blob === null ? [] : isMany ? withShards('model', blob, blobs) : [blob]
  return [...data, ...models, ...ofTable.filter((id) => id !== null)]
}

function withShards(kind: 'dataset' | 'model', id: string, blobs: Blobs): string[] {
  const bytes = blobs.contentOf({ kind, id })
  const index = bytes && decodeShardIndex(bytes)
  return [id, ...(index?.ok ? index.value.shards.map(({ blob }) => blob) : [])]
}

function resultBlobs(id: string, blobs: Blobs): string[] {
  const bytes = blobs.contentOf({ kind: 'dataset', id })
  const result = bytes && decodeBacktestResult(bytes)
  return [id, ...(result?.ok ? result.value.shards.map(({ blob }) => blob) : [])]
}
