import {
  absent,
  claimKey,
  codecs,
  eventOf,
  jobKey,
  type ModelName,
  modifiedAt,
  noted,
  put,
  shardClaimKey,
  shardKey,
  Unavailable,
  versionKey,
} from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import { bounds } from '../config/bounds.ts'

/** An attempt that this node spent without having been able to finish it. */
export type Spent = SpentOnFit | SpentOnShard | SpentOnEnd

type SpentOnShard = {
  readonly job: string
  readonly shard: number
  /** That were counted when this one was: others say that somebody has gone on. */
  readonly attempts: number
}

/** On the end of a backtest, which has no version that would tell. */
type SpentOnEnd = Omit<SpentOnShard, 'shard'>

type SpentOnFit = {
  readonly job: string
  readonly of: ModelName
  readonly version: number
  /**
   * The version as the claim would have left it, where it is not known whether there ever was one;
   * undefined where there was.
   */
  readonly claimedAs: string | undefined
}

/**
 * Gives an attempt back that the coordinator cost, not the fit: attempts are counted to find fits
 * that kill their nodes, and this node lives. Otherwise a long outage, in which claims are lost one
 * after the other, would use them up. While somebody works on the fit it waits; once that is done
 * there is nothing to give back. Never rejects; ends with the signal, at the latest after a time.
 */
export async function returnAttempt(
  context: NodeContext,
  spent: Spent,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, logger } = context
  const untilMs = clock.monotonicMs() + bounds.returnAttemptMs
  let written: Written | undefined
  while (!signal.aborted && clock.monotonicMs() < untilMs) {
    try {
      const look = await lookAt(context, spent, signal)
      // An answer was lost: what stands there tells, or else that somebody has gone on from it.
      if (look === 'nothing-to-do' || (written && look !== 'held' && !isBefore(look, written)))
        return
      if (look !== 'held') {
        written = look
        if (await write(context, look, signal)) {
          logger.info({ event: 'attempt-returned', job: spent.job })
          return
        }
        written = undefined
      }
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof Unavailable)) {
        logger.error({ event: 'attempt-not-returned', job: spent.job, err: error })
        return
      }
    }
    await clock.sleep(bounds.returnAttemptEveryMs * (0.5 + random()), signal).catch(() => {})
  }
}

/** The record as it is to be, and the revision of what it was. */
type Written = {
  readonly key: string
  readonly claim: string
  readonly text: string
  readonly modRevision: number
}

const isBefore = (now: Written, tried: Written) => now.modRevision === tried.modRevision

type Looked = Written | 'held' | 'nothing-to-do'

function lookAt(context: NodeContext, spent: Spent, signal: AbortSignal): Promise<Looked> {
  if ('shard' in spent) return lookAtShard(context, spent, signal)
  return 'of' in spent ? lookAtFit(context, spent, signal) : lookAtEnd(context, spent, signal)
}

async function lookAtEnd(
  { coordinator }: NodeContext,
  { job: id, attempts }: SpentOnEnd,
  signal: AbortSignal,
): Promise<Looked> {
  const [key, claimed] = [jobKey(id), claimKey(id)]
  const [entry, claim] = await Promise.all([
    coordinator.get(key, signal),
    coordinator.get(claimed, signal),
  ])
  const job = entry && codecs.job.decode(entry.value)
  if (!entry || !job?.ok || job.value.state !== 'running' || job.value.attempts !== attempts)
    return 'nothing-to-do'
  if (claim) return 'held'
  const text = codecs.job.encode({ ...job.value, attempts: attempts - 1 })
  return { key, claim: claimed, text, modRevision: entry.modRevision }
}

async function lookAtFit(
  { coordinator, clock, node }: NodeContext,
  { job: id, of, version, claimedAs }: SpentOnFit,
  signal: AbortSignal,
): Promise<Looked> {
  const [entry, claim, held] = await Promise.all([
    coordinator.get(jobKey(id), signal),
    coordinator.get(claimKey(id), signal),
    claimedAs === undefined ? undefined : coordinator.get(versionKey(of, version), signal),
  ])
  const job = entry && codecs.job.decode(entry.value)
  if (!entry || !job?.ok || job.value.state === 'done' || job.value.state === 'failed')
    return 'nothing-to-do'
  const { attempts, createdAt } = job.value
  // A fit that goes on for so long without an end is not helped by more of the same.
  const isOld = Date.parse(clock.wallTime()) - Date.parse(createdAt) > bounds.returnAttemptAgeMs
  if (attempts === 0 || isOld) return 'nothing-to-do'
  if (claimedAs !== undefined && held?.value !== claimedAs) return 'nothing-to-do'
  if (claim) return 'held'
  const why = `Attempt ${attempts} does not count: it was the coordinator that cost it.`
  const event = eventOf(clock.wallTime(), 'given-back', why, node)
  const text = codecs.job.encode({ ...noted(job.value, event), attempts: attempts - 1 })
  return { key: jobKey(id), claim: claimKey(id), text, modRevision: entry.modRevision }
}

async function lookAtShard(
  { coordinator }: NodeContext,
  { job, shard, attempts }: SpentOnShard,
  signal: AbortSignal,
): Promise<Looked> {
  const [key, claimed] = [shardKey(job, shard), shardClaimKey(job, shard)]
  const [entry, claim] = await Promise.all([
    coordinator.get(key, signal),
    coordinator.get(claimed, signal),
  ])
  const record = entry && codecs.shard.decode(entry.value)
  if (!entry || !record?.ok) return 'nothing-to-do'
  const { fitted, error, attempts: counted } = record.value
  if (fitted || error || counted !== attempts) return 'nothing-to-do'
  if (claim) return 'held'
  const text = codecs.shard.encode({ ...record.value, attempts: attempts - 1 })
  return { key, claim: claimed, text, modRevision: entry.modRevision }
}

async function write(
  { coordinator }: NodeContext,
  { key, claim, text, modRevision }: Written,
  signal: AbortSignal,
): Promise<boolean> {
  const when = [absent(claim), modifiedAt(key, modRevision)]
  const { succeeded } = await coordinator.transact({ when, then: [put(key, text)] }, signal)
  return succeeded
}
