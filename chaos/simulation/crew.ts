import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { added, emptyTally, type Tally } from './tally.ts'
import type { shrunk } from './work.ts'

export type Question =
  | {
      readonly kind: 'run'
      readonly seeds: readonly number[]
      readonly mutant?: string | undefined
    }
  | { readonly kind: 'shrink'; readonly seed: number; readonly mutant?: string | undefined }

export type Answer =
  | ({ readonly kind: 'ran' } & Tally)
  | ({ readonly kind: 'shrunk' } & ReturnType<typeof shrunk>)

/** Seeds that a thread is given at a time: some hundred milliseconds of work. */
const portion = 40

export type CrewOptions = {
  readonly seeds: readonly number[]
  readonly mutant?: string | undefined
  readonly threads?: number
  readonly signal: AbortSignal
  /** Enough failures: nobody reads more. */
  readonly failuresMax?: number
  readonly onProgress?: (tally: Tally) => void
}

/** Runs many schedules on all cores. */
export async function runCrew(options: CrewOptions): Promise<Tally> {
  const { seeds, mutant, threads = availableParallelism(), failuresMax = 20, signal } = options
  let next = 0
  let tally = emptyTally
  const take = () => {
    const from = next
    if (signal.aborted || tally.failures.length >= failuresMax) return []
    next += portion
    return seeds.slice(from, from + portion)
  }
  const work = async () => {
    const hand = hire()
    try {
      for (let own = take(); own.length > 0; own = take()) {
        const answer = await hand.ask({ kind: 'run', seeds: own, mutant })
        if (answer.kind === 'ran') tally = added(tally, answer)
        options.onProgress?.(tally)
      }
    } finally {
      await hand.dismiss()
    }
  }
  await Promise.all(Array.from({ length: threads }, work))
  return tally
}

/** The smallest failing part of a schedule. */
export async function shrinkSeed(seed: number, mutant?: string) {
  const hand = hire()
  try {
    const answer = await hand.ask({ kind: 'shrink', seed, mutant })
    if (answer.kind !== 'shrunk') throw new Error('a thread answered another question')
    return answer
  } finally {
    await hand.dismiss()
  }
}

function hire() {
  const worker = new Worker(new URL('./worker.ts', import.meta.url))
  return {
    ask: (question: Question) =>
      new Promise<Answer>((resolve, reject) => {
        const fail = (error: Error) => reject(error)
        worker.once('error', fail)
        worker.once('message', (answer: Answer) => {
          worker.off('error', fail)
          resolve(answer)
        })
        worker.postMessage(question)
      }),
    dismiss: () => worker.terminate(),
  }
}
