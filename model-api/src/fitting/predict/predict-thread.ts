import { Worker } from 'node:worker_threads'
import type { Bounds } from '@almanac/engine'
import type { AnsweredCsv } from '@almanac/tables/regress'
import { bounds } from '../../config/bounds.ts'

/** What the thread begins with. */
export type PredictThreadData = {
  readonly model: Uint8Array
  /** Of what it predicts. */
  readonly bounds?: Bounds | undefined
}

/** What the thread is given; null: nothing comes any more. */
export type PredictQuestion = Uint8Array | null

export type PredictAnswer =
  | { readonly kind: 'text'; readonly text: Uint8Array; readonly counts: AnsweredCsv }
  | { readonly kind: 'fault'; readonly code: string; readonly detail: string }

/** The file has no rows that the model could predict. */
export class NotPredictable extends Error {
  override name = 'NotPredictable'
  readonly code: string
  constructor(code: string, detail: string) {
    super(detail)
    this.code = code
  }
}

/** The thread ended by itself, as one that has no more memory does. */
export class ThreadEnded extends Error {
  override name = 'ThreadEnded'
}

export type PredictThread = {
  /**
   * The rows that a piece ends, answered. Pieces are given one after the other. Rejects with
   * `NotPredictable`, and with `ThreadEnded`.
   */
  readonly push: (piece: Uint8Array) => Promise<Uint8Array>
  /** What is left. */
  readonly finish: () => Promise<Uint8Array>
  /** Of the rows that were answered. */
  readonly counts: () => AnsweredCsv
  readonly end: () => Promise<void>
}

/** A thread that predicts the rows of one CSV: serving goes on beside it. */
export function startPredictThread(data: PredictThreadData): PredictThread {
  const worker = new Worker(new URL('./predict-worker.ts', import.meta.url), {
    workerData: data,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: bounds.predictThreadMb },
  })
  let counts: AnsweredCsv = { rows: 0, predicted: 0, unpredicted: [] }
  let ended: Error | undefined
  let waiting: PromiseWithResolvers<Uint8Array> | undefined
  const onEnd = (error: Error) => {
    ended ??= new ThreadEnded(`The thread that predicted ended: ${error.message}`)
    waiting?.reject(ended)
  }
  worker.on('error', onEnd)
  worker.on('exit', (code) => onEnd(new Error(`code ${code}`)))
  worker.on('message', (answer: PredictAnswer) => {
    if (answer.kind === 'fault')
      return waiting?.reject(new NotPredictable(answer.code, answer.detail))
    counts = answer.counts
    waiting?.resolve(answer.text)
  })
  const ask = (question: PredictQuestion): Promise<Uint8Array> => {
    if (ended) return Promise.reject(ended)
    waiting = Promise.withResolvers()
    // A view would be sent with all that it is a view of.
    const own = question && Uint8Array.from(question)
    worker.postMessage(own, own ? [own.buffer] : [])
    return waiting.promise
  }
  return {
    push: ask,
    finish: () => ask(null),
    counts: () => counts,
    end: async () => {
      await worker.terminate()
    },
  }
}
