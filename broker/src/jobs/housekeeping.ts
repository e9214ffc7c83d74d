import type { Clock, ClusterState, Random, Touched } from '@almanac/shared'
import type { LogView } from '../view/log-fold.ts'
import { type ArchiveParts, archive } from './archive.ts'
import { type Chore, choresOf, deletedVersions } from './chores.ts'
import { endedShards, forgetShards } from './forget-shards.ts'
import { type GarbageParts, sweepGarbage } from './garbage.ts'
import { removeDeleted, type SettleParts } from './settle.ts'
import { underClaim } from './under-claim.ts'

export type HousekeepingParts = ArchiveParts &
  GarbageParts &
  SettleParts & {
    readonly state: () => ClusterState
    readonly log: () => LogView
    readonly clock: Clock
    readonly random: Random
    readonly who: string
  }

export type Housekeeping = {
  readonly touch: (touched: Touched) => void
  readonly stop: () => void
}

/** Chores of one kind between two looks at what there is to do: what was seen grows old. */
const choresMax = 128
/** Chores at once: each waits for the store and for the coordinator, which serve many at a time. */
const choresAtOnce = 16
/** What was done is seen here before the next look, or else done again for nothing. */
const seenMs = 1_000

/** Keeps the coordinator small and the store clean. Nothing here is urgent. */
export function startHousekeeping(parts: HousekeepingParts): Housekeeping {
  const { bounds, clock, logger, random } = parts
  const stopped = new AbortController()
  /** Of deleted models, whose versions are being taken away. */
  const removing = new Set<string>()
  let nextGarbageMs = clock.monotonicMs() + bounds.garbageEveryMs * (0.5 + random())
  let isAtWork = false

  const removeVersions = async (id: string) => {
    if (removing.has(id)) return
    removing.add(id)
    try {
      for (const { of, version } of deletedVersions(parts.state(), id))
        await removeDeleted(parts, of, version)
    } catch (error) {
      logger.warn({ event: 'cleanup-waits', model: id, cause: (error as Error).message })
    } finally {
      removing.delete(id)
    }
  }
  const planned = () => choresOf(parts.state(), parts.log(), clock.wallTime(), bounds, choresMax)
  const round = async () => {
    for (const id of [...parts.state().models.keys()])
      if (deletedVersions(parts.state(), id).length > 0) await removeVersions(id)
    const isGarbageDue = clock.monotonicMs() >= nextGarbageMs
    const isIdle = planned().length === 0 && endedShards(parts.state()).length === 0
    if (isIdle && !isGarbageDue) return
    await underClaim(parts, 'housekeeping', stopped.signal, async (signal) => {
      await forgetShards(parts, signal)
      // However much there is, it is done now: more may be coming than one look a round would do.
      while ((await doChores(parts, planned(), signal)) > 0) signal.throwIfAborted()
      if (isGarbageDue) await sweepGarbage(parts, signal)
    })
    if (isGarbageDue)
      nextGarbageMs = clock.monotonicMs() + bounds.garbageEveryMs * (0.75 + random() / 2)
  }
  const timer = setInterval(() => {
    if (isAtWork) return
    isAtWork = true
    round()
      .catch((error: Error) => {
        if (stopped.signal.aborted) return
        logger.warn({ event: 'housekeeping-waits', cause: error.message })
      })
      .finally(() => {
        isAtWork = false
      })
  }, bounds.reconcileMs)
  timer.unref()
  return {
    touch: (touched) => {
      const ids = touched.all ? parts.state().models.keys() : touched.models
      for (const id of ids)
        if (deletedVersions(parts.state(), id).length > 0) void removeVersions(id)
    },
    stop: () => {
      clearInterval(timer)
      stopped.abort()
    },
  }
}

/** How many of them are done; a few at once, and seen to be done. */
async function doChores(
  parts: HousekeepingParts,
  chores: readonly Chore[],
  signal: AbortSignal,
): Promise<number> {
  const revisions: number[] = []
  for (let i = 0; i < chores.length; i += choresAtOnce) {
    signal.throwIfAborted()
    const group = chores.slice(i, i + choresAtOnce)
    const done = await Promise.all(group.map((chore) => archive(parts, chore)))
    for (const revision of done) if (revision !== undefined) revisions.push(revision)
  }
  const last = Math.max(0, ...revisions)
  const untilMs = parts.clock.monotonicMs() + seenMs
  while (parts.state().revision < last && parts.clock.monotonicMs() < untilMs)
    await parts.clock.sleep(10, signal)
  return revisions.length
}
