import type { NodeContext } from '../../base/context.ts'
import { bounds } from '../../config/bounds.ts'
import type { FitStop } from '../stop.ts'
import type { ShardClaim } from './claim.ts'
import { tellProgress } from './effects.ts'

/**
 * Tells once a period how far a shard is, which of a slow family may be all there is to tell for
 * minutes. Where there are so many shards that those which are done say enough, it does nothing for
 * fits, and asks for backtests. A refusal means that it is another's, or nobody's any more.
 */
export function followProgress(
  context: NodeContext,
  claim: ShardClaim,
  stop: FitStop,
  fraction: () => number,
): { readonly end: () => void } {
  const { clock, timing } = context
  const isTold = (claim.job.shards ?? 0) <= bounds.toldShardsMax
  const ended = new AbortController()
  const ends = AbortSignal.any([ended.signal, stop.signal])
  async function run(): Promise<void> {
    let last = 0
    for (;;) {
      await clock.sleep(timing.progressMs, ends)
      const now = Math.round(fraction() * 1_000) / 1_000
      const told = tellProgress(context, claim, isTold && now !== last ? now : undefined)
      const isOurs = await told.catch(() => undefined)
      if (isOurs === false && !ends.aborted) stop.now('claim-lost')
      if (isOurs === true) last = now
    }
  }
  if (isTold || claim.version === null) run().catch(() => {})
  return { end: () => ended.abort() }
}
