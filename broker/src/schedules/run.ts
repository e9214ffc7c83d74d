import {
  type Clock,
  type Comparison,
  type Coordinator,
  codecs,
  jobKey,
  modifiedAt,
  put,
  Refused,
  type ScheduleRecord,
  type ScheduleRun,
  scheduleKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import type { Allocated } from '../jobs/allocate.ts'
import type { HeldRecord } from '../jobs/read-record.ts'
import { type ScheduleName, scheduleCodec } from '../view/schedule-fold.ts'
import { type ActionParts, readAction } from './actions.ts'

export type RunParts = {
  readonly coordinator: Coordinator
  readonly clock: Pick<Clock, 'wallTime'>
  readonly actions: ActionParts
  /** Told of each run that was recorded. */
  readonly onRun: (outcome: ScheduleRun['outcome'], by: ScheduleRun['by']) => void
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'scheduleRunsKept'>
}

/** A schedule as it was read at the coordinator. */
export type HeldSchedule = HeldRecord<ScheduleRecord> & { readonly of: ScheduleName }

/** What a run is for: one instant, or somebody who asked. */
export type Occasion = {
  readonly by: ScheduleRun['by']
  readonly instant: string
  readonly missed: number
  readonly requestId: string
  /** What else has to hold: the claim of who acts. */
  readonly when: readonly Comparison[]
}

/** Whether the last job that the schedule began is still to end. */
export async function lastIsOpen(
  { coordinator, bounds }: RunParts,
  { job }: ScheduleRecord,
): Promise<boolean> {
  if (job === null) return false
  const entry = await coordinator.get(jobKey(job), AbortSignal.timeout(bounds.coordinatorCallMs))
  const decoded = entry && codecs.job.decode(entry.value)
  return decoded?.ok === true && decoded.value.endedAt === null
}

/**
 * Begins what a schedule is for. Job and run are recorded in one transaction, which compares the
 * schedule as it was read: so no instant has two jobs, whatever dies when. Throws what `allocate`
 * does, and `Refused` by the action, which is then not recorded.
 */
export async function beginRun(
  parts: RunParts,
  held: HeldSchedule,
  occasion: Occasion,
): Promise<Allocated> {
  const { of, record } = held
  const action = readAction(record.action)
  const { by, instant, requestId } = occasion
  const why =
    by === 'schedule'
      ? `Schedule ${of.name} began it for ${instant}.`
      : `Somebody asked schedule ${of.name} to run.`
  const begun = await action.begin(parts.actions, of.tenant, {
    requestId,
    why,
    also: ({ job, version, at }) => {
      const made = { outcome: 'begun', job, model: action.model, version } as const
      return recording(parts, held, occasion, { ...runOf(occasion, at), ...made }, job)
    },
  })
  parts.onRun('begun', by)
  return begun
}

/** Records that an instant came to nothing, and why. False: somebody else changed the schedule. */
export async function recordRun(
  parts: RunParts,
  held: HeldSchedule,
  occasion: Occasion,
  came: Pick<ScheduleRun, 'outcome' | 'reason' | 'detail' | 'job'>,
): Promise<boolean> {
  const { coordinator, clock, bounds, onRun } = parts
  const run = { ...runOf(occasion, clock.wallTime()), ...came }
  const transaction = recording(parts, held, occasion, run, held.record.job)
  const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
  const { succeeded } = await coordinator.transact(transaction, signal)
  if (succeeded) onRun(came.outcome, occasion.by)
  return succeeded
}

const runOf = ({ by, instant, missed }: Occasion, at: string) => ({
  ...{ instant, at, by },
  ...(missed > 0 ? { missed } : {}),
})

function recording(
  { bounds }: RunParts,
  { of, record, modRevision }: HeldSchedule,
  { by, instant, when }: Occasion,
  run: ScheduleRun,
  job: string | null,
) {
  const key = scheduleKey(of.tenant, of.name)
  const next: ScheduleRecord = {
    ...record,
    job,
    // What somebody asked for is no instant of the schedule.
    until: by === 'schedule' ? instant : record.until,
    runs: [run, ...record.runs].slice(0, bounds.scheduleRunsKept),
  }
  return {
    when: [modifiedAt(key, modRevision), ...when],
    then: [put(key, scheduleCodec.encode(next))],
  }
}

/**
 * Why nothing could be begun, as far as another try at once would not change it. A 500 is damage:
 * whoever is only away is a 502 or 503.
 */
export function lastingRefusal(error: unknown): { reason: string; detail: string } | undefined {
  if (!(error instanceof Refused) || error.status > 500) return undefined
  if (error.retryAfterSeconds !== undefined) return undefined
  const remedy = error.remedy === undefined ? '' : ` ${error.remedy}`
  return { reason: error.code.slice(0, 100), detail: `${error.message}${remedy}`.slice(0, 500) }
}
