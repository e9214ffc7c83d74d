import { type BlobRef, Damaged, Missing, Unavailable, unreachable } from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { untilAvailable } from '../../base/patience.ts'
import { bounds } from '../../config/bounds.ts'
import { checked } from '../checked.ts'
import { releaseLease } from '../claim.ts'
import { writeProgress } from '../effects.ts'
import { type FitOutcome, type FitParts, outcomeOf } from '../fit-attempt.ts'
import { endJobAsDeleted, failJob } from '../job-claim.ts'
import { type ProgressReport, reportProgress } from '../progress.ts'
import { type FitStop, FitStopped, watchForStop } from '../stop.ts'
import { readPredictionSubject } from '../subject.ts'
import { finish, giveBack, type PredictionClaim, takePredictionClaim } from './claim.ts'
import { predictFile } from './predict-file.ts'

/**
 * One attempt at predicting a file, from claim to end. A file that another one has written
 * meanwhile is the same: rows, version and content of the file are. Rejects with `Unavailable` when
 * the coordinator did not answer before the claim.
 */
export async function attemptPrediction(parts: FitParts, id: string): Promise<FitOutcome> {
  const { context, drain } = parts
  const subject = await readPredictionSubject(context, id, drain)
  if ('why' in subject) return subject.why
  const lease = await context.coordinator.grantLease(context.timing.leaseTtlMs, drain)
  const spent = { job: id, attempts: subject.job.value.attempts + 1 }
  try {
    const claim = await takePredictionClaim(context, subject, lease, drain)
    if (claim === undefined) return 'another-has-it'
    const startedMs = context.clock.monotonicMs()
    const outcome = await attemptClaimed(parts, claim)
    if (outcome === 'claim-lost') void parts.onSpent(spent)
    const seconds = (context.clock.monotonicMs() - startedMs) / 1_000
    const what = { job: id, attempt: claim.job.attempts, outcome, seconds }
    context.logger.info({ event: 'prediction-ended', ...claim.job.subject, ...what })
    return outcome
  } catch (error) {
    if (error instanceof Unavailable) void parts.onSpent(spent)
    throw error
  } finally {
    releaseLease(lease).catch(() => {})
  }
}

async function attemptClaimed(parts: FitParts, claim: PredictionClaim): Promise<FitOutcome> {
  const { context } = parts
  const stop = watchForStop(claim, parts.drain, parts.view)
  const progress = reportProgress(context, claim, () => stop.now('claim-lost'))
  try {
    return await work(context, claim, progress, stop)
  } catch (error) {
    await progress.stop()
    return await afterError(context, claim, stop.signal, error)
  } finally {
    stop.done()
    await progress.stop()
  }
}

async function work(
  context: NodeContext,
  claim: PredictionClaim,
  progress: ProgressReport,
  stop: FitStop,
): Promise<FitOutcome> {
  const { signal } = stop
  const { prediction, subject } = claim.job
  const patience = patienceOf(context, claim, signal)
  const ref: BlobRef = { kind: 'model', id: prediction.model.blob }
  const bytes = await untilAvailable(() => context.store.readBlob(ref, signal), patience)
  const model = checked(bytes, prediction.model.sha256, `Version ${subject.version}`)
  progress.phase('predicting')
  const told = { fraction: 0, rows: 0 }
  progress.follow(
    () => told.fraction,
    () => told.rows,
  )
  const mustStand = () =>
    untilAvailable(async () => {
      const effect = await writeProgress(context, claim, undefined, signal)
      if (effect === 'refused') stop.now('claim-lost')
      signal.throwIfAborted()
    }, patience)
  const made = await stop.within(context, bounds.predictFileMs, () =>
    untilAvailable(
      () => predictFile(context.files, { prediction, model, told, mustStand, signal }),
      patience,
    ),
  )
  await progress.stop()
  switch (made.kind) {
    case 'made':
      return outcomeOf(await finish(context, claim, made.result), 'stored')
    case 'refused':
      return outcomeOf(await failJob(context, claim, { phase: 'predict', ...made }), 'failed')
    case 'crashed':
      context.logger.error({ event: 'prediction-crashed', job: claim.job.id, detail: made.detail })
      return outcomeOf(await giveBack(context, claim, 'spent', made.detail), 'crashed')
    default:
      return unreachable(made)
  }
}

async function afterError(
  context: NodeContext,
  claim: PredictionClaim,
  signal: AbortSignal,
  error: unknown,
): Promise<FitOutcome> {
  if (signal.aborted) return await afterStop(context, claim, signal.reason)
  if (error instanceof Damaged || error instanceof Missing) {
    const reason = error instanceof Damaged ? 'checksum' : 'no-model'
    const detail = `The model cannot be read: ${error.message}`
    return outcomeOf(await failJob(context, claim, { phase: 'predict', reason, detail }), 'failed')
  }
  context.logger.error({ event: 'prediction-failed', job: claim.job.id, err: error })
  const why = `Something went wrong in the node: ${error}`
  return outcomeOf(await giveBack(context, claim, 'spent', why), 'crashed')
}

async function afterStop(
  context: NodeContext,
  claim: PredictionClaim,
  reason: unknown,
): Promise<FitOutcome> {
  const why = reason instanceof FitStopped ? reason.why : 'claim-lost'
  switch (why) {
    case 'claim-lost':
    case 'ended':
      return why
    case 'drain': {
      const effect = await giveBack(context, claim, 'returned', 'The node is about to stop.')
      return outcomeOf(effect, 'given-back')
    }
    case 'deleted':
      return outcomeOf(await endJobAsDeleted(context, claim), 'deleted')
    case 'too-long': {
      const detail = `It was stopped after ${bounds.predictFileMs / 1_000} s: use smaller files.`
      return outcomeOf(
        await failJob(context, claim, { phase: 'predict', reason: 'too-long', detail }),
        'failed',
      )
    }
    default:
      return unreachable(why)
  }
}

function patienceOf(context: NodeContext, { job }: PredictionClaim, signal: AbortSignal) {
  const { clock, random, logger } = context
  const onWait = (error: Error, tries: number) => {
    if (tries === 1) logger.warn({ event: 'prediction-waits', job: job.id, cause: error.message })
  }
  return { clock, random, signal, onWait }
}
