import { type Clock, claimKey, createdAt, type Logger } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { BaseMoved } from '../jobs/allocate.ts'
import { underClaim } from '../jobs/under-claim.ts'
import type { ScheduleName, Schedules } from '../view/schedule-fold.ts'
import { type Due, type Instants, instantsOf } from './cron.ts'
import { findSchedule } from './edit.ts'
import {
  beginRun,
  type HeldSchedule,
  lastIsOpen,
  lastingRefusal,
  type Occasion,
  type RunParts,
  recordRun,
} from './run.ts'

export type SchedulerParts = RunParts & {
  readonly schedules: () => Schedules
  readonly clock: Pick<Clock, 'wallTime'>
  readonly who: string
  readonly logger: Logger
  readonly mintId: () => string
  readonly bounds: Bounds
}

/** Begins what is due. Every broker looks; the one that has the claim acts. */
export function startScheduler(parts: SchedulerParts): { readonly stop: () => void } {
  const { bounds, clock, logger } = parts
  const stopped = new AbortController()
  const known = createInstants()
  let isAtWork = false

  const dueNow = () => {
    const now = Date.parse(clock.wallTime())
    const all = parts.schedules()
    known.keepOnly(all)
    return [...all].flatMap(([key, { of, record }]) =>
      record.enabled && known.due(key, record, now) ? [of] : [],
    )
  }
  const round = async () => {
    const due = dueNow()
    if (due.length === 0) return
    await underClaim(parts, 'schedules', stopped.signal, async (signal, fence) => {
      for (const of of due) {
        signal.throwIfAborted()
        await actOn(parts, of, fence).catch((error: Error) => {
          logger.warn({ event: 'schedule-waits', schedule: of.name, cause: error.message })
        })
      }
    })
  }
  const timer = setInterval(() => {
    if (isAtWork) return
    isAtWork = true
    round()
      .catch((error: Error) => {
        if (!stopped.signal.aborted) logger.warn({ event: 'schedules-wait', cause: error.message })
      })
      .finally(() => {
        isAtWork = false
      })
  }, bounds.scheduleLookMs)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      stopped.abort()
    },
  }
}

/** Deals with the newest instant that is due, if it still is at the coordinator. */
async function actOn(parts: SchedulerParts, of: ScheduleName, fence: number): Promise<void> {
  const { clock, logger } = parts
  const held = await findSchedule(parts, of)
  const now = Date.parse(clock.wallTime())
  const due = held?.record.enabled ? dueOf(held.record, now, parts.bounds) : undefined
  if (held === undefined || due === undefined) return
  const occasion: Occasion = {
    by: 'schedule',
    instant: new Date(due.instant).toISOString(),
    missed: due.missed,
    requestId: `schedule-${parts.mintId()}`,
    when: [createdAt(claimKey('schedules'), fence)],
  }
  const event = { schedule: of.name, instant: occasion.instant, missed: due.missed }
  if (await lastIsOpen(parts, held.record)) {
    const { job } = held.record
    const detail = `Job ${job}, which it began before, is not finished.`
    await recordRun(parts, held, occasion, { outcome: 'skipped', detail, job: job ?? '' })
    logger.info({ event: 'schedule-skipped', ...event, job })
    return
  }
  try {
    const { job } = await beginRun(parts, held, occasion)
    logger.info({ event: 'schedule-began', ...event, job })
  } catch (error) {
    if (error instanceof BaseMoved) return
    const refused = lastingRefusal(error)
    if (refused === undefined) throw error
    await recordRun(parts, held, occasion, { outcome: 'refused', ...refused })
    logger.warn({ event: 'schedule-refused', ...event, ...refused })
  }
}

function dueOf(
  { cron, timezone, until }: HeldSchedule['record'],
  now: number,
  { missedInstantsMax }: Pick<Bounds, 'missedInstantsMax'>,
): Due | undefined {
  const read = instantsOf(cron, timezone)
  return read.ok ? read.value.due(Date.parse(until), now, missedInstantsMax) : undefined
}

/** What a second's look costs is a comparison: cron is asked once for each instant. */
function createInstants() {
  type Known = { readonly of: string; readonly instants: Instants | undefined; next: number }
  const known = new Map<string, Known>()
  return {
    keepOnly: (all: Schedules) => {
      for (const key of known.keys()) if (!all.has(key)) known.delete(key)
    },
    due: (key: string, { cron, timezone, until }: HeldSchedule['record'], now: number) => {
      const of = `${cron} ${timezone} ${until}`
      let found = known.get(key)
      if (found?.of !== of) {
        const read = instantsOf(cron, timezone)
        const instants = read.ok ? read.value : undefined
        const next = instants?.after(Date.parse(until)) ?? Number.POSITIVE_INFINITY
        found = { of, instants, next }
        known.set(key, found)
      }
      return found.next <= now
    },
  }
}
