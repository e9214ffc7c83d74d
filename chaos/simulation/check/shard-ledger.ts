import { codecs, type JobRecord, parseKey, type ShardRecord } from '@almanac/shared'
import type { KeyEvent } from '../etcd/key-values.ts'

type Known = { record: ShardRecord | undefined; isClaimed: boolean }

/**
 * Shards as they are claimed and done: each claim counts one attempt, only who has a claim says
 * that a shard is done, and what is done is neither claimed nor done again.
 */
export class ShardLedger {
  readonly #shards = new Map<string, Known>()
  /** Claims of shards, by job. */
  readonly claims = new Map<string, number>()

  /** The blobs of shards whose records are there. */
  blobs(): string[] {
    return [...this.#shards.values()].flatMap(({ record }) => record?.fitted?.blob ?? [])
  }

  /** What one revision does that it may not; `jobs` as they are after it. */
  take(events: ReadonlyMap<string, KeyEvent>, jobs: ReadonlyMap<string, JobRecord>): string[] {
    const faults: string[] = []
    const claimed = new Set<string>()
    const before = new Map<string, Known>()
    for (const [key, { type, kv }] of events) {
      const parsed = parseKey(key)
      if (parsed.kind !== 'shard' && parsed.kind !== 'shard-claim') continue
      const name = `shard ${parsed.shard} of ${parsed.job}`
      const known = this.#shards.get(name) ?? { record: undefined, isClaimed: false }
      if (!before.has(name)) before.set(name, { ...known })
      this.#shards.set(name, known)
      if (parsed.kind === 'shard-claim') {
        known.isClaimed = type === 'Put'
        if (type !== 'Put') continue
        claimed.add(name)
        this.claims.set(parsed.job, (this.claims.get(parsed.job) ?? 0) + 1)
        continue
      }
      const decoded = type === 'Put' ? codecs.shard.decode(kv.value.toString()) : undefined
      if (decoded?.ok === false) faults.push(`${name} cannot be read`)
      known.record = decoded?.ok ? decoded.value : undefined
      const state = jobs.get(parsed.job)?.state
      if (type !== 'Put' && (state === 'queued' || state === 'running'))
        faults.push(`${name} is forgotten while its job is ${state}`)
    }
    for (const [name, was] of before)
      faults.push(...stepFaults(name, was, this.#shards.get(name)!, claimed.has(name)))
    return faults
  }
}

function stepFaults(name: string, before: Known, after: Known, isNewClaim: boolean): string[] {
  const faults: string[] = []
  const [was, is] = [before.record, after.record]
  const [from, to] = [was?.attempts ?? 0, is?.attempts ?? 0]
  if (isNewClaim && before.isClaimed) faults.push(`${name} is claimed twice`)
  if (isNewClaim && was?.fitted) faults.push(`${name} is done and claimed again`)
  if (isNewClaim && to !== from + 1) faults.push(`${name} is claimed, its attempts ${from} → ${to}`)
  if (!isNewClaim && to > from)
    faults.push(`${name} has ${to} attempts, and was claimed ${from} times`)
  if (is && was?.fitted && was.fitted.blob !== is.fitted?.blob) faults.push(`${name} is done again`)
  if (is?.fitted && !was?.fitted && !before.isClaimed)
    faults.push(`${name} is done by who has no claim`)
  return faults
}
