/**
 * Retries as a share of requests (a token bucket): every request brings a fraction of a token, a
 * retry takes a whole one. The reserve lets a quiet broker survive the death of a node.
 */
export type RetryBudget = {
  readonly request: () => void
  /** Takes a token; false when there is none. */
  readonly take: () => boolean
}

export function createRetryBudget(bounds: {
  readonly retryShareMax: number
  readonly retryReserve: number
}): RetryBudget {
  let tokens = bounds.retryReserve
  return {
    request: () => {
      tokens = Math.min(bounds.retryReserve, tokens + bounds.retryShareMax)
    },
    take: () => {
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
  }
}
