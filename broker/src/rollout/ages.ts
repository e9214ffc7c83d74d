/** For how long each target was seen, on this observer's monotonic clock. */
export type TargetAges = {
  /**
   * The age of a model's target now. Time counts only while `counts`: a target cannot get on while
   * there is no node, and what is not seen (a silent watch) cannot be judged.
   */
  readonly observe: (id: string, target: string | null, nowMs: number, counts: boolean) => number
  readonly forget: (id: string) => void
}

/** Looks are more frequent than this: a longer gap is a process that stood still. */
const stepMaxMs = 1_000

export function createTargetAges(): TargetAges {
  const seen = new Map<string, { readonly target: string; ageMs: number; lastMs: number }>()
  return {
    observe: (id, target, nowMs, counts) => {
      if (target === null) {
        seen.delete(id)
        return 0
      }
      const known = seen.get(id)
      if (known?.target !== target) {
        seen.set(id, { target, ageMs: 0, lastMs: nowMs })
        return 0
      }
      if (counts) known.ageMs += Math.min(nowMs - known.lastMs, stepMaxMs)
      known.lastMs = nowMs
      return known.ageMs
    },
    forget: (id) => {
      seen.delete(id)
    },
  }
}
