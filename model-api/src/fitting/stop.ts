import { makesVersion, modelId } from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import type { ModelsView } from '../serving/view.ts'
import type { Claim } from './claim.ts'
import { isDeleted } from './subject.ts'

/** `ended`: somebody has ended the job, as who cancels it does. */
export type StopReason = 'claim-lost' | 'drain' | 'deleted' | 'too-long' | 'ended'

/** Why a fit was told to stop. */
export class FitStopped extends Error {
  override name = 'FitStopped'
  readonly why: StopReason
  constructor(why: StopReason) {
    super(`the fit was stopped: ${why}`)
    this.why = why
  }
}

export type FitStop = {
  /** Aborts, with a `FitStopped`, at the first reason to stop. */
  readonly signal: AbortSignal
  now(why: StopReason): void
  /** Also stops when the work takes longer than this; what comes after it may take its time. */
  within<T>(context: NodeContext, ms: number, work: () => Promise<T>): Promise<T>
  /** The fit has ended: nothing is watched any more. */
  done(): void
}

type Claimed = Pick<Claim, 'of' | 'job' | 'fence' | 'lease'>

/** Watches for what ends a fit early: its lease, a drain, a cancel, the deletion of its model. */
export function watchForStop(claim: Claimed, drain: AbortSignal, view: ModelsView): FitStop {
  const stop = new AbortController()
  const now = (why: StopReason) => stop.abort(new FitStopped(why))
  const { lost } = claim.lease
  const id = modelId(claim.of)

  const onLost = () => now('claim-lost')
  const onDrain = () => now('drain')
  const look = () => {
    // A view from before the claim may still show a tombstone that the claim has seen replaced.
    if (view.state.revision < claim.fence) return
    const record = view.state.models.get(id)?.value
    const { kind, subject } = claim.job
    const { version } = subject
    if (isDeleted(record, version)) return now('deleted')
    // Its version had ended before.
    if (!makesVersion(kind)) return
    const state = view.state.versions.get(id)?.get(version)?.value.state
    if (state === 'failed' || state === 'stored') now('ended')
  }
  const unsubscribe = view.onChange((touched) => {
    if (touched.all || touched.models.has(id)) look()
  })
  lost.addEventListener('abort', onLost, { once: true })
  drain.addEventListener('abort', onDrain, { once: true })
  if (lost.aborted) onLost()
  if (drain.aborted) onDrain()
  look()
  return {
    signal: stop.signal,
    now,
    async within(context, ms, work) {
      const ended = new AbortController()
      context.clock.sleep(ms, ended.signal).then(
        () => now('too-long'),
        () => {},
      )
      try {
        return await work()
      } finally {
        ended.abort()
      }
    },
    done() {
      unsubscribe()
      lost.removeEventListener('abort', onLost)
      drain.removeEventListener('abort', onDrain)
    },
  }
}
