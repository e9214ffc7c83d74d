import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Step, Strike } from './blows.ts'
import { added, emptyTally, type Tally } from './tally.ts'
import type { shrunk } from './work.ts'

export type Question =
  | {
      readonly kind: 'run'
      readonly seeds: readonly number[]
      readonly mutant?: string | undefined
    }
  | { readonly kind: 'strike'; readonly strikes: readonly Strike[] }
  | { readonly kind: 'steps'; readonly seed: number }
  | { readonly kind: 'shrink'; readonly seed: number; readonly mutant?: string | undefined }

export type Answer =
  | ({ readonly kind: 'ran' } & Tally)
  | { readonly kind: 'steps'; readonly steps: readonly Step[] }
  | ({ readonly kind: 'shrunk' } & ReturnType<typeof shrunk>)

/** Runs that a thread is given at a time: some hundred milliseconds of work. */
const portion = 40

export type CrewOptions<T> = {
  readonly work: readonly T[]
  readonly asked: (portion: readonly T[]) => Question
  readonly threads?: number
  readonly signal: AbortSignal
  /** Enough failures: nobody reads more. */
  readonly failuresMax?: number
  readonly onProgress?: (tally: Tally) => void
}

/** Runs many simulations on all cores. */
export async function runCrew<T>(options: CrewOptions<T>): Promise<Tally> {
  const { work, asked, threads = availableParallelism(), failuresMax = 20, signal } = options
  let next = 0
  let tally = emptyTally
  const take = () => {
    const from = next
    if (signal.aborted || tally.failures.length >= failuresMax) return []
    next += portion
    return work.slice(from, from + portion)
  }
  const toil = async () => {
    const hand = hire()
    try {
      for (let own = take(); own.length > 0; own = take()) {
        const answer = await hand.ask(asked(own))
        if (answer.kind === 'ran') tally = added(tally, answer)
        options.onProgress?.(tally)
      }
    } finally {
      await hand.dismiss()
    }
  }
  await Promise.all(Array.from({ length: threads }, toil))
  return tally
}

/** The smallest failing part of a schedule. */
export async function shrinkSeed(seed: number, mutant?: string) {
  const answer = await askOne({ kind: 'shrink', seed, mutant })
  if (answer.kind !== 'shrunk') throw new Error('a thread answered another question')
  return answer
}

/** The calls at which a process can be struck. */
export async function stepsOfSeed(seed: number): Promise<readonly Step[]> {
  const answer = await askOne({ kind: 'steps', seed })
  if (answer.kind !== 'steps') throw new Error('a thread answered another question')
  return answer.steps
}

async function askOne(question: Question): Promise<Answer> {
  const hand = hire()
  try {
    return await hand.ask(question)
  } finally {
    await hand.dismiss()
  }
}

function hire() {
  // What a simulation makes lives for as long as it does: room for it saves copying.
  const resourceLimits = { maxYoungGenerationSizeMb: 192 }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { resourceLimits })
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
