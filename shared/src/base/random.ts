/** A uniform number in [0, 1). Injected, so that a simulation can own chance. */
export type Random = () => number

export const systemRandom: Random = () => Math.random()

/** A repeatable stream for tests and simulations (mulberry32, Tommy Ettinger, public domain). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Exponential backoff with full jitter: uniform in [0, min(cap, base · 2^attempt)]. */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: Random): number {
  return random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30))
}
