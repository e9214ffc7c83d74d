import {
  type Clock,
  type Coordinator,
  codec,
  codecs,
  type Held,
  LogRecord,
  logKey,
  type ModelName,
  type ModelRecord,
  modelKey,
  modifiedAt,
  put,
  type Transaction,
  unreachable,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import type { Action } from './decide.ts'

export type Executed =
  /** At this revision: what is seen must be at least as new before the next step. */
  | { readonly kind: 'applied'; readonly revision: number }
  /** Somebody else was first, or the situation is another by now. */
  | { readonly kind: 'overtaken' }

export type Subject = {
  readonly of: ModelName
  readonly held: Held<ModelRecord>
  readonly versions: ReadonlyMap<number, Held<VersionRecord>>
}

export type ExecuteParts = {
  readonly coordinator: Coordinator
  readonly clock: Pick<Clock, 'wallTime'>
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'promotionHoldersMax'>
  /** This broker, for the log. */
  readonly who: string
}

export const logs = codec(LogRecord)

/**
 * Makes one step true, if what it was decided on still holds. Refused, not retried, when it does
 * not: the next look at the state decides anew. Rejects with `Unavailable`; the outcome is then
 * unknown, and seen in the state when the coordinator is back.
 */
export async function execute(
  parts: ExecuteParts,
  subject: Subject,
  action: Exclude<Action, { kind: 'nothing' }>,
): Promise<Executed> {
  const transaction = transactionOf(parts, subject, action)
  const signal = AbortSignal.timeout(parts.bounds.coordinatorCallMs)
  const { succeeded, revision } = await parts.coordinator.transact(transaction, signal)
  return succeeded ? { kind: 'applied', revision } : { kind: 'overtaken' }
}

function transactionOf(
  parts: ExecuteParts,
  { of, held, versions }: Subject,
  action: Exclude<Action, { kind: 'nothing' }>,
): Transaction {
  const record = held.value
  const key = modelKey(of)
  const unchanged = modifiedAt(key, held.modRevision)
  const version = versions.get(action.version)
  const versionUnchanged = modifiedAt(versionKey(of, action.version), version?.modRevision ?? 0)
  switch (action.kind) {
    case 'target': {
      const next: ModelRecord = {
        ...record,
        target: action.version,
        high: action.version,
        why: 'fit',
      }
      return { when: [unchanged, versionUnchanged], then: [put(key, codecs.model.encode(next))] }
    }
    case 'promote':
      return promotion(parts, { of, held, versions }, action)
    case 'give-up': {
      const next: ModelRecord = { ...record, target: record.serving }
      const then = [put(key, codecs.model.encode(next))]
      if (action.blame && version)
        then.push(put(versionKey(of, action.version), failed(parts, version.value, action)))
      return { when: [unchanged, versionUnchanged], then }
    }
    default:
      return unreachable(action)
  }
}

/** The target serves, and the log says so; only if those counted still say that they have it. */
function promotion(
  { bounds, clock, who }: ExecuteParts,
  { of, held, versions }: Subject,
  action: Extract<Action, { kind: 'promote' }>,
): Transaction {
  const record = held.value
  const changes = record.changes + 1
  const next: ModelRecord = {
    ...record,
    serving: action.version,
    previous: record.serving ?? record.previous,
    changes,
  }
  const at = clock.wallTime()
  const entry: LogRecord = { from: record.serving, to: action.version, why: record.why, who, at }
  const holders = action.holders.slice(0, bounds.promotionHoldersMax)
  return {
    when: [
      modifiedAt(modelKey(of), held.modRevision),
      modifiedAt(versionKey(of, action.version), versions.get(action.version)?.modRevision ?? 0),
      ...holders.map(({ key, said }) => modifiedAt(key, said?.modRevision ?? 0)),
    ],
    then: [
      put(modelKey(of), codecs.model.encode(next)),
      put(logKey(of, changes), logs.encode(entry)),
    ],
  }
}

function failed(
  { clock }: ExecuteParts,
  version: VersionRecord,
  { reason, detail }: { readonly reason: string; readonly detail: string },
): string {
  const next: VersionRecord = {
    ...version,
    state: 'failed',
    error: { phase: 'rollout', reason, detail },
    times: { ...version.times, failedAt: clock.wallTime() },
  }
  return codecs.version.encode(next)
}
