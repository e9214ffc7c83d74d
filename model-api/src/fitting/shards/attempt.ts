import { engineLimits } from '@almanac/engine'
import { type BlobRef, Damaged, limits, Missing, type VersionRecord } from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { untilAvailable } from '../../base/patience.ts'
import { bounds } from '../../config/bounds.ts'
import { readTrial } from '../backtest/read.ts'
import type { FitParts } from '../fit-attempt.ts'
import type { FitWork } from '../fit-pool.ts'
import { seedOf } from '../seed.ts'
import { type FitStop, FitStopped, watchForStop } from '../stop.ts'
import type { FitReply, FitUnderWay } from '../worker-protocol.ts'
import type { ShardClaim } from './claim.ts'
import { endShard, giveShardBack, keepShard } from './effects.ts'
import { followProgress } from './progress.ts'
import { type KeptIndexes, readBaseShard, readShardData } from './read.ts'

/** `unusable`: no node will fit it, whatever it tries. */
export type ShardOutcome =
  | 'fitted'
  | 'given-back'
  | 'crashed'
  | 'deleted'
  | 'claim-lost'
  | 'ended'
  | 'unusable'

/** One attempt at one shard, from its claim to its end. Rejects only with faults of the node. */
export async function attemptShard(parts: FitParts, claim: ShardClaim): Promise<ShardOutcome> {
  const { context } = parts
  const stop = watchForStop(claim, parts.drain, parts.view)
  try {
    const fitted = await fit(parts, claim, stop)
    return fitted === undefined ? await giveUp(context, claim) : await keep(context, claim, fitted)
  } catch (error) {
    if (stop.signal.aborted) return await afterStop(context, claim, stop.signal.reason)
    if (error instanceof Damaged || error instanceof Missing || error instanceof RangeError) {
      context.logger.error({ event: 'shard-unusable', ...label(claim), cause: error.message })
      await endShard(context, claim, {
        reason: 'bad-dataset',
        detail: error.message.slice(0, 2_000),
      })
      return 'unusable'
    }
    context.logger.error({ event: 'shard-failed', ...label(claim), err: error })
    await giveShardBack(context, claim, 'spent')
    return 'crashed'
  } finally {
    stop.done()
  }
}

type Fitted = FitReply & { kind: 'fitted-shard' }
type Stored = Parameters<typeof keepShard>[2]

async function fit(parts: FitParts, claim: ShardClaim, stop: FitStop): Promise<Stored | undefined> {
  const { context, indexes } = parts
  const { signal } = stop
  const read = (ref: BlobRef) =>
    untilAvailable(() => context.store.readBlob(ref, signal), patienceOf(context, claim, signal))
  const { version, job, shard } = claim
  const material = version
    ? await readMaterial(read, indexes, version, shard.number)
    : await readTrial(read, job, shard.number)
  const reply = await fitAround(parts, claim, stop, material)
  return reply && (await store(context, claim, signal, reply))
}

/** What is to be done with a shard of series. */
export type Material = Pick<FitWork, 'dataset' | 'base' | 'spec' | 'bounds' | 'backtest'> & {
  /** Of the data. */
  readonly series: number
}

async function readMaterial(
  read: (ref: BlobRef) => Promise<Uint8Array>,
  indexes: KeptIndexes,
  { dataset: data, base: of, spec, bounds: kept }: VersionRecord,
  shard: number,
): Promise<Material> {
  const index = await indexes.data(read, data.blob)
  const dataset = await readShardData(read, index, shard)
  const { first, series } = index.shards[shard]!
  const base = of ? await readBaseShard(read, await indexes.base(read, of), of, first) : null
  return { dataset, base, series, spec, bounds: kept }
}

/** A series that ends its thread is passed over, and all of them once that has been too often. */
async function fitAround(
  { context, pool }: FitParts,
  claim: ShardClaim,
  stop: FitStop,
  { series, ...material }: Material,
): Promise<Fitted | undefined> {
  const { of, shard, job } = claim
  const all = (why: string) => new Map(Array.from({ length: series }, (_, place) => [place, why]))
  // The attempt of now is counted already.
  const isHopeless = shard.record.attempts > limits.shardPatienceAttempts
  let passedOver: Map<number, string> = isHopeless ? all('ends-processes') : new Map()
  for (let crashes = 0; crashes <= bounds.shardCrashesMax; crashes++) {
    const work = {
      ...{ ...material, passedOver },
      ...{ seed: seedOf(of, job.subject.version), workMax: bounds.fitWorkMax },
    }
    let under: FitUnderWay | undefined
    const following = followProgress(context, claim, stop, () => under?.progress() ?? 0)
    const reply = await stop
      .within(context, patienceMs(context, claim), () =>
        pool.fit(work, stop.signal, (started) => {
          under = started
        }),
      )
      .finally(following.end)
    if (reply.kind === 'fitted-shard') return reply
    stop.signal.throwIfAborted()
    if (reply.kind === 'refused') throw new Damaged(`${reply.code}: ${reply.detail}`)
    if (reply.kind !== 'crashed') return undefined
    const place = under?.place() ?? -1
    const what = { job: job.id, shard: shard.number, place, detail: reply.detail }
    context.logger.error({ event: 'series-ends-thread', ...of, ...what })
    const isLast = crashes === bounds.shardCrashesMax - 1
    if (place < 0 || isLast || passedOver.has(place)) passedOver = all('ends-threads')
    else passedOver.set(place, 'ends-threads')
  }
  return undefined
}

/** A backtest may fit each series at every one of its origins. */
function patienceMs({ timing }: NodeContext, { job: { backtest } }: ShardClaim): number {
  if (backtest === undefined) return timing.fitMs
  const { mode, windows } = backtest.settings
  return Math.min(bounds.backtestMs, timing.fitMs * (mode === 'refit' ? windows : 1))
}

async function store(
  context: NodeContext,
  claim: ShardClaim,
  signal: AbortSignal,
  { shard: content, codes, live }: Fitted,
): Promise<Stored> {
  const { of, job, version, shard } = claim
  const label = `${of.tenant}/${of.model}/${job.subject.version}/${shard.number}`
  const kind = version ? 'model' : 'dataset'
  const upload = () =>
    context.store.writeBlob({ kind, id: context.mintId(), content, label }, signal)
  const manifest = await untilAvailable(upload, patienceOf(context, claim, signal))
  const { id: blob, sha256, sizeBytes } = manifest
  const series = Object.values(codes).reduce((sum, count) => sum + count, 0)
  const errorMax = engineLimits.liveErrorMax
  const foreseen = live && live.count > 0 ? { live: { ...live, errorMax } } : {}
  return { blob, sha256, sizeBytes, series, codes, ...foreseen }
}

async function keep(
  context: NodeContext,
  claim: ShardClaim,
  fitted: Stored,
): Promise<ShardOutcome> {
  return (await keepShard(context, claim, fitted)) === 'applied' ? 'fitted' : 'claim-lost'
}

async function giveUp(context: NodeContext, claim: ShardClaim): Promise<ShardOutcome> {
  return (await giveShardBack(context, claim, 'spent')) === 'applied' ? 'crashed' : 'claim-lost'
}

async function afterStop(
  context: NodeContext,
  claim: ShardClaim,
  reason: unknown,
): Promise<ShardOutcome> {
  const why = reason instanceof FitStopped ? reason.why : 'claim-lost'
  if (why === 'claim-lost' || why === 'ended') return why
  if (why === 'too-long') {
    if (claim.version) return await giveUp(context, claim)
    // It would be no faster elsewhere.
    const detail = `Shard ${claim.shard.number} was stopped after ${patienceMs(context, claim) / 1_000} s.`
    await endShard(context, claim, { reason: 'too-long', detail })
    return 'unusable'
  }
  await giveShardBack(context, claim, 'returned')
  return why === 'drain' ? 'given-back' : 'deleted'
}

function patienceOf(context: NodeContext, claim: ShardClaim, signal: AbortSignal) {
  const { clock, random, logger } = context
  return {
    ...{ clock, random, signal },
    onWait: (error: Error, tries: number) => {
      if (tries === 1)
        logger.warn({ event: 'shard-waits-for-store', ...label(claim), cause: error.message })
    },
  }
}

function label({ of, job, shard }: ShardClaim) {
  return { ...of, version: job.subject.version, job: job.id, shard: shard.number }
}
