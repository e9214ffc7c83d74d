import type { Patience } from '../../base/patience.ts'

/** What a table needs has been away for so long that other fits may as well go first. */
export class StillAway extends Error {
  override name = 'StillAway'
}

/** Patience that ends with `StillAway`, so long after the first of some tries in vain. */
export function patienceUpTo(patience: Patience, awayMs: number): Patience {
  let sinceMs = 0
  return {
    ...patience,
    onWait: (error, tries) => {
      patience.onWait?.(error, tries)
      const nowMs = patience.clock.monotonicMs()
      if (tries === 1) sinceMs = nowMs
      if (nowMs - sinceMs < awayMs) return
      const seconds = Math.round((nowMs - sinceMs) / 1_000)
      throw new StillAway(`It waited for ${seconds} s: ${error.message}`, { cause: error })
    },
  }
}
