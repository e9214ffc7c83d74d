import type { Process } from './world.ts'

/** What becomes of a process at one of its calls to coordinator or store. */
export type Fate =
  | 'goes on'
  /** The call is not sent. */
  | 'dies before'
  /** The call is done, and nobody is there to hear of it. */
  | 'dies after'
  /** The call is done, and its answer gets lost: the process does not know. */
  | 'hears nothing'
  /** The process stands still for longer than a lease lasts, and sends the call then. */
  | 'stalls'

/** Asked at every call of every process. */
export type Steps = {
  readonly fateOf: (process: Process, what: string | (() => string)) => Fate
  readonly die: (process: Process) => void
  readonly stall: (process: Process) => void
}
