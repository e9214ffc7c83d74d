import { eventOf } from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import { type JobClaim, writeProgress } from './effects.ts'

export type ProgressReport = {
  /** Whence the fraction comes from now on, and how many rows are done where they are counted. */
  follow(fraction: () => number, rows?: () => number): void
  phase(name: string): void
  /** Resolves when no write is under way any more, so that the next effect is the last. */
  stop(): Promise<void>
}

/**
 * Tells progress once a period, and asks when there is none. A refusal means that the claim is
 * another's now.
 */
export function reportProgress(
  context: NodeContext,
  claim: JobClaim,
  onRefused: () => void,
): ProgressReport {
  const stop = new AbortController()
  const ends = AbortSignal.any([stop.signal, claim.lease.lost])
  let fraction = () => 0
  let rows: (() => number) | undefined
  let phase = 'reading'
  let lastText = ''

  async function run(): Promise<void> {
    while (!ends.aborted) {
      await context.clock.sleep(context.timing.progressMs, ends)
      const counted = rows ? { rows: rows() } : {}
      const progress = { phase, fraction: Math.round(fraction() * 1_000) / 1_000, ...counted }
      const text = JSON.stringify(progress)
      const news = text === lastText ? undefined : progress
      // Not given up by `stop`: a late progress write must not overtake the publication.
      const write = writeProgress(context, claim, news, claim.lease.lost)
      const effect = await write.catch(() => 'unknown' as const)
      if (effect === 'refused') return onRefused()
      if (effect === 'applied') lastText = text
    }
  }

  const running = run().catch(() => {})
  return {
    follow(source, counted) {
      fraction = source
      rows = counted
    },
    phase(name) {
      phase = name
      const text = told[name] ?? name
      claim.journal.push(eventOf(context.clock.wallTime(), 'phase', text, context.node))
    },
    async stop() {
      stop.abort()
      await running
    },
  }
}

const told: Readonly<Record<string, string>> = {
  table: 'Reads its table and makes series of it.',
  joining: 'Joins the parts that its data came in.',
  fitting: 'Fits.',
  predicting: 'Predicts its rows.',
  storing: 'Stores what was fitted.',
}
