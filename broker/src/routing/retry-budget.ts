import type { Clock } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'

/**
 * Retries as a share of requests (a token bucket): every request brings a fraction of a token, a
 * retry takes a whole one. The reserve lets a quiet broker survive the death of a node, and what
 * time brings lets those that wait try again when no new request comes.
 */
export type RetryBudget = {
  readonly request: () => void
  /** Takes a token; false when there is none. */
  readonly take: () => boolean
}

export function createRetryBudget(
  bounds: Pick<Bounds, 'retryShareMax' | 'retryReserve' | 'retriesPerSecondMin'>,
  clock: Pick<Clock, 'monotonicMs'>,
): RetryBudget {
  let tokens = bounds.retryReserve
  let filledMs = clock.monotonicMs()
  return {
    request: () => {
      tokens = Math.min(bounds.retryReserve, tokens + bounds.retryShareMax)
    },
    take: () => {
      const nowMs = clock.monotonicMs()
      const brought = ((nowMs - filledMs) / 1_000) * bounds.retriesPerSecondMin
      tokens = Math.min(bounds.retryReserve, tokens + brought)
      filledMs = nowMs
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
  }
}
