import { Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import type { Change } from '../port.ts'
import { createDraft, type Draft } from './evaluate.ts'
import type { Journal } from './journal.ts'
import type { KeySpace } from './key-space.ts'

/** Runs work on the key space, one batch at a time, each batch with one sync of the disk. */
export type Commits = {
  /**
   * Evaluates `work` after everything before it and resolves with its result once its changes are
   * on disk and visible. What `work` throws comes back and changes nothing. Work whose signal has
   * aborted before its turn is left out.
   */
  submit<T>(work: (draft: Draft) => T, signal: AbortSignal): Promise<T>
  /** Refuses new work and waits for what was submitted. */
  drain(): Promise<void>
}

type Item = {
  readonly signal: AbortSignal
  /** Does the work; what it returns settles the promise of its caller after the commit. */
  run(draft: Draft): { done(): void; failed(error: unknown): void }
  refuse(error: unknown): void
}

/** `onCommitted` is told of every batch in revision order before its callers are. */
export function createCommits(
  space: KeySpace,
  journal: Journal,
  onCommitted: (changes: readonly Change[]) => void,
): Commits {
  const queue: Item[] = []
  let running: Promise<void> | undefined
  let closed = false

  async function run(): Promise<void> {
    // Whatever is submitted in the same turn of the event loop shares the first sync.
    await Promise.resolve()
    while (queue.length > 0) await commit(queue.splice(0, limits.embeddedBatchMax))
    running = undefined
  }

  async function commit(batch: readonly Item[]): Promise<void> {
    const draft = createDraft(space)
    const settled = batch.flatMap((item) => {
      if (item.signal.aborted) {
        item.refuse(item.signal.reason)
        return []
      }
      return [item.run(draft)]
    })
    try {
      if (draft.changes.length > 0) {
        await journal.append(draft.changes)
        space.apply(draft.changes, draft.revision)
        onCommitted(draft.changes)
      }
    } catch (error) {
      for (const { failed } of settled) failed(error)
      return
    }
    for (const { done } of settled) done()
  }

  return {
    submit(work, signal) {
      if (closed) return Promise.reject(new Unavailable('coordinator', 'it was closed'))
      if (queue.length >= limits.embeddedQueueMax) {
        return Promise.reject(new Unavailable('coordinator', 'too many transactions are waiting'))
      }
      return new Promise((resolve, reject) => {
        queue.push({
          signal,
          refuse: reject,
          run(draft) {
            try {
              const result = work(draft)
              return { done: () => resolve(result), failed: reject }
            } catch (error) {
              return { done: () => reject(error), failed: () => reject(error) }
            }
          },
        })
        running ??= run()
      })
    },
    async drain() {
      closed = true
      await running
    },
  }
}
