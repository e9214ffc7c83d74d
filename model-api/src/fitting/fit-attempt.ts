import type { Candidate, Report } from '@almanac/engine'
import {
  assert,
  type BlobRef,
  Bug,
  Damaged,
  type FailureRecord,
  isOfShards,
  type Manifest,
  Missing,
  unreachable,
  type VersionRecord,
} from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import { untilAvailable } from '../base/patience.ts'
import { bounds } from '../config/bounds.ts'
import type { ModelsView } from '../serving/view.ts'
import { accuracyAfter, accuracyOfMany, liveErrorOf } from './accuracy.ts'
import type { Effect } from './apply.ts'
import { checked } from './checked.ts'
import { type Claim, ClaimUnknown, releaseLease, takeClaim } from './claim.ts'
import {
  endAsDeleted,
  type FittedModel,
  failForGood,
  giveBack,
  handOver,
  publish,
} from './effects.ts'
import type { Fitter, FitWork } from './fit-pool.ts'
import { type JoinParts, seriesOfParts } from './parts/series-of-parts.ts'
import { type ProgressReport, reportProgress } from './progress.ts'
import type { Spent } from './return-attempt.ts'
import { seedOf } from './seed.ts'
import { joinShards } from './shards/join.ts'
import type { KeptIndexes } from './shards/read.ts'
import { type FitStop, FitStopped, type StopReason, watchForStop } from './stop.ts'
import type { Unclaimed } from './subject.ts'
import type { TableReader } from './table/reader.ts'
import { regressionOfTable } from './table/regression-of-table.ts'
import { seriesOfTable, type TableParts } from './table/series-of-table.ts'
import { patienceUpTo, StillAway } from './table/still-away.ts'

export type FitParts = {
  readonly context: NodeContext
  readonly pool: Fitter
  readonly tables: TableReader
  readonly view: ModelsView
  /** Aborts when the node drains: claim and attempt are given back. */
  readonly drain: AbortSignal
  readonly indexes: KeptIndexes
  /** Told of an attempt that the coordinator cost, not the fit. */
  readonly onSpent: (spent: Spent) => Promise<void>
}

export type FitOutcome =
  | Unclaimed
  | 'stored'
  | 'failed'
  | 'deleted'
  | 'given-back'
  | 'handed-over'
  | 'crashed'
  | 'claim-lost'

/**
 * One attempt at one job, from claim to end. Whatever happens the coordinator decides: every effect
 * compares the claim, and where this node ends without one the lease ends and brokers go on.
 * Rejects with `Unavailable` when the coordinator did not answer before the claim.
 */
export async function attemptFit(parts: FitParts, jobId: string): Promise<FitOutcome> {
  const { context } = parts
  const claiming = await takeClaim(context, jobId, parts.drain).catch(async (error) => {
    if (error instanceof ClaimUnknown) await untilReturned(parts, jobId, error)
    throw error
  })
  if (claiming.kind === 'unclaimed') return claiming.why
  const { claim } = claiming
  const startedMs = context.clock.monotonicMs()
  const stop = watchForStop(claim, parts.drain, parts.view)
  const progress = reportProgress(context, claim, () => stop.now('claim-lost'))
  let outcome: FitOutcome = 'claim-lost'
  try {
    outcome = await work(parts, claim, progress, stop)
    return outcome
  } catch (error) {
    outcome = await afterError(context, claim, progress, stop.signal, error)
    return outcome
  } finally {
    stop.done()
    await progress.stop()
    releaseLease(claim.lease).catch(() => {})
    if (outcome === 'claim-lost') void parts.onSpent(spentOn(claim))
    report(context, claim, outcome, (context.clock.monotonicMs() - startedMs) / 1_000)
  }
}

async function work(
  { context, pool, tables }: FitParts,
  claim: Claim,
  progress: ProgressReport,
  stop: ReturnType<typeof watchForStop>,
): Promise<FitOutcome> {
  const read = (ref: BlobRef) =>
    untilAvailable(
      () => context.store.readBlob(ref, stop.signal),
      patienceOf(context, claim, stop.signal, 'fit-waits-for-data'),
    )
  const { kind } = claim.job
  if (kind === 'fit-table' || kind === 'fit-parts' || kind === 'fit-regression') {
    const fit = (request: FitWork) => pool.fit(request, stop.signal)
    const whole = tableParts(context, claim, progress, stop, read)
    const made = { ...whole, reader: tables, fit }
    if (kind === 'fit-regression') return await regress(context, claim, progress, stop, made)
    return await makeSeries(context, claim, progress, made)
  }
  if (isOfShards(claim.job.kind)) return await join(context, claim, progress, stop.signal, read)
  const dataset = await read({ kind: 'dataset', id: claim.version.dataset.blob })
  const base = await readBase(claim.version, read)
  progress.phase('fitting')
  const request = {
    dataset,
    base,
    passedOver: null,
    spec: claim.version.spec,
    bounds: claim.version.bounds,
    seed: seedOf(claim.of, claim.version.version),
    workMax,
  }
  const reply = await stop.within(context, context.timing.fitMs, () =>
    pool.fit(request, stop.signal, (under) => progress.follow(() => under.progress())),
  )
  switch (reply.kind) {
    case 'fitted':
      return store(context, claim, progress, stop.signal, {
        content: reply.model,
        metrics: { ...plainMetrics(reply.report), ...liveErrorOf(reply.score) },
        calendar: reply.calendar,
        accuracy: accuracyAfter(claim.version, reply),
      })
    case 'refused':
      return fail(context, claim, progress, { reason: reply.code, detail: reply.detail })
    case 'crashed':
      context.logger.error({ event: 'fit-crashed', ...label(claim), detail: reply.detail })
      await progress.stop()
      await giveBack(context, claim, 'spent', `The thread that fitted it ended: ${reply.detail}`)
      return 'crashed'
    case 'fitted-shard':
    case 'joined':
      throw new Bug('one series was asked for, not a shard')
    case 'stopped':
      stop.signal.throwIfAborted()
      return 'claim-lost'
    default:
      return unreachable(reply)
  }
}

/** The beginning of a job on a table, or on parts: series, in shards that any node can fit. */
async function makeSeries(
  context: NodeContext,
  claim: Claim,
  progress: ProgressReport,
  parts: TableParts & JoinParts,
): Promise<FitOutcome> {
  const made =
    claim.job.kind === 'fit-parts'
      ? await parts.within(() => seriesOfParts(claim.version, parts))
      : await seriesOfTable(context, claim.version, parts)
  switch (made.kind) {
    case 'refused':
      return fail(context, claim, progress, made)
    case 'crashed':
      return crashed(context, claim, progress, made.detail)
    case 'made': {
      const { kind: _, ...series } = made
      await progress.stop()
      return outcomeOf(await handOver(context, claim, series), 'handed-over')
    }
    default:
      return unreachable(made)
  }
}

/** A job on a table from its rows to a model that predicts more of them. */
async function regress(
  context: NodeContext,
  claim: Claim,
  progress: ProgressReport,
  stop: FitStop,
  parts: TableParts,
): Promise<FitOutcome> {
  const fitted = await regressionOfTable(context, claim.version, parts)
  switch (fitted.kind) {
    case 'refused':
      return fail(context, claim, progress, fitted)
    case 'crashed':
      return crashed(context, claim, progress, fitted.detail)
    case 'made': {
      const { model: content, metrics, kind: _, ...made } = fitted
      const whole = { content, metrics, calendar: null, made }
      return store(context, claim, progress, stop.signal, whole)
    }
    default:
      return unreachable(fitted)
  }
}

/** What data is made series with: store, files and Spark are waited for, but not for ever. */
function tableParts(
  context: NodeContext,
  claim: Claim,
  progress: ProgressReport,
  stop: FitStop,
  read: (ref: BlobRef) => Promise<Uint8Array>,
): Omit<TableParts, 'reader'> {
  const { signal } = stop
  const patienceFor = (event: string) =>
    patienceUpTo(patienceOf(context, claim, signal, event), context.timing.tableAwayMs)
  progress.phase(claim.job.kind === 'fit-parts' ? 'joining' : 'table')
  let fraction = 0
  progress.follow(() => fraction)
  const { of, version } = claim
  const name = `${of.tenant}/${of.model}/${version.version}`
  return {
    read,
    store: (content) =>
      untilAvailable(async () => {
        const id = context.mintId()
        await context.store.writeBlob({ kind: 'dataset', id, content, label: name }, signal)
        return id
      }, patienceFor('fit-waits-for-store')),
    onProgress: (now) => {
      fraction = now
    },
    patience: patienceFor('fit-waits-for-table'),
    within: (work) => stop.within(context, bounds.tableMs, work),
    signal,
  }
}

async function crashed(
  context: NodeContext,
  claim: Claim,
  progress: ProgressReport,
  detail: string,
): Promise<FitOutcome> {
  const [event, what] =
    claim.job.kind === 'fit-parts'
      ? ['join-crashed', 'The thread that joined its parts']
      : ['table-crashed', 'The process with the table']
  context.logger.error({ event, ...label(claim), detail })
  await progress.stop()
  await giveBack(context, claim, 'spent', `${what} ended: ${detail}`)
  return 'crashed'
}

/** The end of a job of shards: its version names the index of them. */
async function join(
  context: NodeContext,
  claim: Claim,
  progress: ProgressReport,
  signal: AbortSignal,
  read: (ref: BlobRef) => Promise<Uint8Array>,
): Promise<FitOutcome> {
  const joined = await untilAvailable(
    () => joinShards(context, claim, read, signal),
    patienceOf(context, claim, signal, 'fit-waits-for-shards'),
  )
  switch (joined.kind) {
    case 'whole': {
      const { index: content, metrics, series, live } = joined
      const accuracy = accuracyOfMany(claim.version, live)
      const made = { content, metrics, calendar: null, series, accuracy }
      return store(context, claim, progress, signal, made)
    }
    case 'failed':
      return fail(context, claim, progress, joined)
    case 'open':
      await progress.stop()
      return outcomeOf(await giveBack(context, claim, 'returned', shardsOpen), 'given-back')
    default:
      return unreachable(joined)
  }
}

/** The bytes of the version that this one goes on from, if it does, and those that were meant. */
async function readBase(
  { base }: VersionRecord,
  read: (ref: BlobRef) => Promise<Uint8Array>,
): Promise<Uint8Array | null> {
  if (base === undefined) return null
  const bytes = await read({ kind: 'model', id: base.blob })
  return checked(bytes, base.sha256, `Version ${base.version}, the base,`)
}

/** A second claim would hide what the first, which may have been made, has left behind. */
async function untilReturned(
  { context, drain, onSpent }: FitParts,
  job: string,
  { of, version, claimedAs }: ClaimUnknown,
): Promise<void> {
  const over = context.clock.sleep(returnedWithinMs, drain).catch(() => {})
  await Promise.race([onSpent({ job, of, version, claimedAs }), over])
}

/** Or else the next try sees a claim, and leaves the fit alone. */
const returnedWithinMs = 2_000

/** Uploads under a blob id of its own, minted anew for each try, then publishes. */
async function store(
  context: NodeContext,
  claim: Claim,
  progress: ProgressReport,
  signal: AbortSignal,
  { content, ...made }: Omit<FittedModel, 'manifest'> & { readonly content: Uint8Array },
): Promise<FitOutcome> {
  progress.phase('storing')
  const { of, version } = claim
  const manifest: Manifest = await untilAvailable(
    () =>
      context.store.writeBlob(
        {
          kind: 'model',
          id: context.mintId(),
          content,
          label: `${of.tenant}/${of.model}/${version.version}`,
        },
        signal,
      ),
    patienceOf(context, claim, signal, 'fit-waits-for-store'),
  )
  await progress.stop()
  // Drained or not, the work is done, and the fence decides whether it counts. But a model that was
  // deleted wants no version.
  if (signal.reason instanceof FitStopped && signal.reason.why === 'deleted') throw signal.reason
  const effect = await publish(context, claim, { manifest, ...made })
  return outcomeOf(effect, 'stored')
}

async function fail(
  context: NodeContext,
  claim: Claim,
  progress: ProgressReport,
  { reason, detail }: { reason: string; detail: string },
): Promise<FitOutcome> {
  await progress.stop()
  const error: FailureRecord = {
    phase: 'fit',
    reason: reason.slice(0, 100),
    detail: detail.slice(0, 2_000),
  }
  return outcomeOf(await failForGood(context, claim, error), 'failed')
}

async function afterError(
  context: NodeContext,
  claim: Claim,
  progress: ProgressReport,
  signal: AbortSignal,
  error: unknown,
): Promise<FitOutcome> {
  if (signal.aborted) {
    await progress.stop()
    return afterStop(context, claim, progress, signal.reason)
  }
  if (error instanceof StillAway) {
    await progress.stop()
    return outcomeOf(await giveBack(context, claim, 'returned', error.message), 'given-back')
  }
  if (error instanceof Damaged)
    return fail(context, claim, progress, { reason: 'checksum', detail: error.message })
  if (error instanceof Missing)
    return fail(context, claim, progress, { reason: 'no-data', detail: error.message })
  if (error instanceof RangeError)
    return fail(context, claim, progress, { reason: 'too-large', detail: error.message })
  context.logger.error({ event: 'fit-failed', ...label(claim), err: error })
  await progress.stop()
  await giveBack(context, claim, 'spent', `Something went wrong in the node: ${error}`)
  return 'crashed'
}

async function afterStop(
  context: NodeContext,
  claim: Claim,
  progress: ProgressReport,
  reason: unknown,
): Promise<FitOutcome> {
  assert(reason instanceof FitStopped, 'a fit is stopped for a known reason')
  const why: StopReason = reason.why
  switch (why) {
    case 'claim-lost':
    case 'ended':
      return why
    case 'drain':
      return outcomeOf(await giveBack(context, claim, 'returned', draining), 'given-back')
    case 'deleted':
      return outcomeOf(await endAsDeleted(context, claim), 'deleted')
    case 'too-long': {
      const isOfOne = claim.job.kind === 'fit' || claim.job.kind === 'update'
      const ms = isOfOne ? context.timing.fitMs : bounds.tableMs
      const detail = `The fit was stopped after ${ms / 1_000} s.`
      return fail(context, claim, progress, { reason: 'too-long', detail })
    }
    default:
      return unreachable(why)
  }
}

const spentOn = ({ job, of, version }: Claim): Spent => ({
  job: job.id,
  of,
  version: version.version,
  claimedAs: undefined,
})

/** What an attempt came to whose last write had this effect. */
export const outcomeOf = (effect: Effect, wanted: FitOutcome): FitOutcome =>
  effect === 'applied' ? wanted : 'claim-lost'

const draining = 'The node is about to stop.'
const shardsOpen = 'Some of its shards are not fitted yet.'

const workMax = bounds.fitWorkMax

/** What the engine reports, as plain figures and short texts: lists become sentences. */
function plainMetrics(report: Report): Record<string, number | string> {
  const plain = Object.entries(report).flatMap(([name, value]): [string, number | string][] => {
    if (typeof value === 'number') return Number.isFinite(value) ? [[name, value]] : []
    if (value === undefined || value.length === 0) return []
    return [[name, (typeof value === 'string' ? value : listed(value)).slice(0, 500)]]
  })
  return Object.fromEntries(plain)
}

function listed(items: readonly (string | Candidate)[]): string {
  return items
    .map((item) => {
      if (typeof item === 'string') return item
      const { name, weight, aicc, refused } = item
      const facts = [
        ...(weight === undefined ? [] : [`weight ${Number(weight.toFixed(3))}`]),
        ...(aicc === undefined ? [] : [`AICc ${Number(aicc.toFixed(2))}`]),
        ...(refused === undefined ? [] : [refused]),
      ]
      return facts.length === 0 ? name : `${name} (${facts.join(', ')})`
    })
    .join('; ')
}

function patienceOf(context: NodeContext, claim: Claim, signal: AbortSignal, event: string) {
  const { clock, random, logger } = context
  return {
    clock,
    random,
    signal,
    onWait: (error: Error, tries: number) => {
      if (tries === 1) logger.warn({ event, ...label(claim), cause: error.message })
    },
  }
}

function label({ of, version, job }: Claim) {
  return { ...of, version: version.version, job: job.id, requestId: job.requestId }
}

function report(context: NodeContext, claim: Claim, outcome: FitOutcome, seconds: number): void {
  context.metrics.fits.inc({ outcome })
  context.metrics.attempts.inc({ kind: claim.job.kind, outcome })
  context.metrics.fitSeconds.observe({ outcome }, seconds)
  const attempt = claim.job.attempts
  context.logger.info({ event: 'fit-ended', ...label(claim), outcome, attempt, seconds })
}
