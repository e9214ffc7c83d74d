import type { AnySpec, Refusal, Report, Series } from '../src/index.ts'

/** What a worker is given once, at its start. */
export type WorkerSetup = {
  readonly spec: AnySpec
  readonly seed: number
  readonly workMax: number
  /** One 32-bit number: 1 asks every fit to stop. */
  readonly stop: SharedArrayBuffer
}

export type Task = { readonly place: number; readonly series: Series }

/** An outcome as it crosses from one thread to another: the model as its bytes. */
export type Answer =
  | { readonly kind: 'done' | 'stopped'; readonly bytes: Uint8Array; readonly report: Report }
  | { readonly kind: 'refused'; readonly reason: Refusal }

/**
 * A worker says `ready` once it can take tasks, then answers each in the order of their arrival.
 */
export type FromWorker = 'ready' | Answer
