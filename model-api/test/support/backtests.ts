import { hash } from 'node:crypto'
import { encodeShardData } from '@almanac/engine'
import {
  type BacktestEntry,
  type BacktestSettings,
  codecs,
  decodeBacktestResult,
  decodeBacktestShard,
  encodeBacktestInput,
  encodeDataset,
  type JobRecord,
  jobKey,
  mintBlobId,
  modelKey,
  put,
} from '@almanac/shared'
import { type Machine, newModel, type Order, quickSpec, readJob, soon } from './machine.ts'
import type { Keyed } from './shards.ts'

export const settings: BacktestSettings = {
  ...{ horizon: 3, windows: 2, step: 3, levels: [80, 95], mode: 'refit', season: null },
}

type Given = {
  readonly spec?: unknown
  readonly settings?: Partial<BacktestSettings>
  readonly attempts?: number
  /** Into how many parts each shard is cut. */
  readonly parts?: number
}

/** What a broker leaves behind when it accepted a backtest of many series, `each` to a shard. */
export async function queueBacktest(
  machine: Machine,
  series: readonly Keyed[],
  each: number,
  given: Given = {},
): Promise<Order> {
  const shards = []
  for (let from = 0; from < series.length; from += each) {
    const own = series.slice(from, from + each)
    const bytes = encodeShardData(own.map((one) => ({ start: null, frequency: null, ...one })))
    const sha256 = hash('sha256', bytes, 'hex')
    const data = [{ blob: await write(machine, bytes), sha256 }]
    const shard = { first: own[0]!.key, series: own.length, data }
    const { parts = 1 } = given
    for (let at = 0; at < parts; at++)
      shards.push(parts === 1 ? shard : { ...shard, part: { at, of: parts } })
  }
  return await queue(machine, 'many', shards, given)
}

/** The same of one series: what was fitted, and what updates added. */
export async function queueBacktestOfOne(
  machine: Machine,
  parts: readonly (readonly (number | null)[])[],
  given: Given = {},
): Promise<Order> {
  const data = []
  for (const y of parts) {
    const series = [{ key: null, start: null, frequency: null, y: [...y] }]
    data.push({ blob: await write(machine, encodeDataset({ format: 1, series })), sha256: null })
  }
  return await queue(machine, 'one', [{ first: '', series: 1, data }], given)
}

type Shards = Parameters<typeof encodeBacktestInput>[0]['shards']

async function queue(
  machine: Machine,
  kind: 'one' | 'many',
  shards: Shards,
  { spec = quickSpec, settings: instead, attempts = 0 }: Given,
): Promise<Order> {
  const of = { tenant: 'default', model: 'default' }
  const input = await write(machine, encodeBacktestInput({ format: 1, kind, spec, shards }))
  const job: JobRecord = {
    ...{ id: mintBlobId(), kind: 'backtest', subject: { ...of, version: 1 }, state: 'queued' },
    ...{ attempts, progress: { phase: 'queued', fraction: 0 }, error: null, requestId: 'test' },
    ...{ createdAt: new Date().toISOString(), endedAt: null, shards: shards.length },
    backtest: { settings: { ...settings, ...instead }, input, result: null, scores: null },
  }
  const then = [
    put(jobKey(job.id), codecs.job.encode(job)),
    put(modelKey(of), codecs.model.encode(newModel())),
  ]
  await machine.coordinator.transact({ when: [], then }, soon())
  return { ...of, version: 1, job: job.id }
}

async function write({ store }: Machine, content: Uint8Array): Promise<string> {
  const id = mintBlobId()
  await store.writeBlob({ kind: 'dataset', id, content, label: 'a test' }, soon())
  return id
}

/** What a backtest that is done came to, by steps and by series. */
export async function readResult(machine: Machine, of: Order) {
  const { backtest } = await readJob(machine, of.job)
  const read = (id: string) => machine.store.readBlob({ kind: 'dataset', id }, soon())
  const index = decodeBacktestResult(await read(backtest!.result!.blob))
  if (!index.ok) throw new Error(index.fault)
  const entries: BacktestEntry[] = []
  for (const { blob } of index.value.shards) {
    const shard = decodeBacktestShard(await read(blob))
    if (!shard.ok) throw new Error(shard.fault)
    entries.push(...shard.value.lines.map((line) => JSON.parse(line) as BacktestEntry))
  }
  return { ...index.value, entries, scores: backtest!.scores! }
}
