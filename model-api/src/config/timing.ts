import { limits } from '@almanac/shared'
import { bounds } from './bounds.ts'

/** The node's times; defaults are the system's limits, tests make them shorter. */
export type NodeTiming = {
  readonly leaseTtlMs: number
  readonly reconcileMs: number
  readonly versionGraceMs: number
  readonly watchSilenceMs: number
  readonly fitMs: number
  readonly tableAwayMs: number
  readonly progressMs: number
  readonly drainAnswerMs: number
  readonly drainMs: number
}

export const defaultTiming: NodeTiming = {
  leaseTtlMs: limits.leaseTtlMs,
  reconcileMs: limits.reconcileMs,
  versionGraceMs: limits.versionGraceMs,
  watchSilenceMs: limits.watchSilenceMs,
  fitMs: limits.fitMs,
  tableAwayMs: bounds.tableAwayMs,
  /** One progress write a second is what the coordinator is asked to bear. */
  progressMs: 1_000,
  drainAnswerMs: limits.drainAnswerMs,
  drainMs: limits.drainMs,
}
