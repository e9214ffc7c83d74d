import {
  codecs,
  isOfShards,
  limits,
  type ShardRecord,
  shardClaimsPrefix,
  shardsPrefix,
} from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { readShardSubject, type ShardSubject } from '../subject.ts'

/** A shard that nobody works on, as it was read. */
export type OpenShard = {
  readonly number: number
  readonly record: ShardRecord
  /** 0: there is no record of it yet. */
  readonly modRevision: number
}

export type ShardLook =
  /** Nothing for this node to do: all is in somebody's hands, or the job has ended. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'open'; readonly subject: ShardSubject; readonly shard: OpenShard }
  /** Every shard is fitted, or one will never be: the job can be ended. */
  | { readonly kind: 'settled'; readonly subject: ShardSubject }

/**
 * Looks for something to do in a job of shards. Of those that nobody works on it takes one of the
 * least tried, by chance, so that nodes mostly choose different ones.
 */
export async function lookForShard(
  context: NodeContext,
  job: string,
  signal: AbortSignal,
): Promise<ShardLook> {
  const subject = await readShardSubject(context, job, signal)
  if ('why' in subject || !isOfShards(subject.job.value.kind)) return { kind: 'nothing' }
  const { claimed, shards } = await readShards(context, job, signal)
  const open: OpenShard[] = []
  let fitted = 0
  for (let number = 0; number < shardsOf(subject); number++) {
    const { record, modRevision } = shards.get(number) ?? untouched
    if (record.fitted !== null) fitted++
    else if (claimed.has(number)) continue
    else if (isHopeless(record)) return { kind: 'settled', subject }
    else open.push({ number, record, modRevision })
  }
  if (fitted === shardsOf(subject)) return { kind: 'settled', subject }
  const attempts = Math.min(...open.map(({ record }) => record.attempts))
  const least = open.filter(({ record }) => record.attempts === attempts)
  const shard = least[Math.floor(context.random() * least.length)]
  return shard === undefined ? { kind: 'nothing' } : { kind: 'open', subject, shard }
}

/** Of all shards of a job: their records, and who works on them. */
export async function readShards({ coordinator }: NodeContext, job: string, signal: AbortSignal) {
  // Claims first: a shard that is fitted in between then shows as fitted.
  const claims = await coordinator.list(shardClaimsPrefix(job), signal)
  const records = await coordinator.list(shardsPrefix(job), signal)
  const claimed = new Set(claims.entries.map(({ key }) => numberIn(key, shardClaimsPrefix(job))))
  const shards = new Map<number, Omit<OpenShard, 'number'>>()
  for (const { key, value, modRevision } of records.entries) {
    const decoded = codecs.shard.decode(value)
    // What cannot be read is fitted again, over it.
    const record = decoded.ok ? decoded.value : untouched.record
    shards.set(numberIn(key, shardsPrefix(job)), { record, modRevision })
  }
  return { claimed, shards }
}

const untouched: Omit<OpenShard, 'number'> = {
  record: { attempts: 0, fitted: null, error: null },
  modRevision: 0,
}

/** It has no claim, and nobody is to try it again. */
export const isHopeless = ({ attempts, error }: ShardRecord) =>
  error !== null || attempts >= limits.shardAttemptsMax

const shardsOf = ({ job }: ShardSubject) => job.value.shards ?? 0

const numberIn = (key: string, prefix: string) => Number(key.slice(prefix.length))
