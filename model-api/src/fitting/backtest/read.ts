import {
  type BacktestInput,
  type BlobRef,
  Damaged,
  decodeBacktestInput,
  type JobRecord,
} from '@almanac/shared'
import { checked } from '../checked.ts'
import type { Material } from '../shards/attempt.ts'

type Read = (ref: BlobRef) => Promise<Uint8Array>

/** What a backtest is made of. Rejects with `Damaged` where that cannot be read. */
export async function readInput(read: Read, { backtest, id }: JobRecord): Promise<BacktestInput> {
  if (backtest === undefined) throw new Damaged(`The job ${id} does not say what it is made of.`)
  const input = decodeBacktestInput(await read({ kind: 'dataset', id: backtest.input }))
  if (input.ok) return input.value
  throw new Damaged(`What the backtest is made of cannot be read: ${input.fault}`)
}

/** The data of one shard of a backtest, and how it is judged. Rejects with `Damaged`, too. */
export async function readTrial(read: Read, job: JobRecord, number: number): Promise<Material> {
  const { kind, spec, bounds, shards } = await readInput(read, job)
  const shard = shards[number]
  if (shard === undefined) throw new Damaged(`The backtest has no shard ${number}.`)
  const sets: Uint8Array[] = []
  for (const { blob, sha256 } of shard.data) {
    const bytes = await read({ kind: 'dataset', id: blob })
    sets.push(sha256 === null ? bytes : checked(bytes, sha256, `The data set ${blob}`))
  }
  const [dataset, ...later] = sets
  const { series, part = { at: 0, of: 1 } } = shard
  const trial = { ...job.backtest!.settings, ...(bounds ? { bounds } : {}) }
  const backtest = { trial, kind, later, part }
  return { dataset: dataset!, base: null, series, spec, backtest }
}
