import { Worker } from 'node:worker_threads'
import { Bug, type Clock } from '@almanac/shared'
import { bounds } from '../config/bounds.ts'
import { FitControl, type FitReply, type FitRequest, type FitUnderWay } from './worker-protocol.ts'

export type FitWork = Omit<FitRequest, 'id' | 'control'>

export type FitPoolOptions = {
  readonly workersMax: number
  /** Of the heap of one thread; beyond it the thread ends, not the process. */
  readonly memoryMb: number
  readonly clock: Clock
  /** The file that the threads run. */
  readonly workerFile?: URL
}

/** What runs fits: threads, or what stands for them in a simulation. */
export type Fitter = Pick<FitPool, 'fit' | 'close'>

/**
 * Runs fits in threads. The first fit starts one; one warm thread is kept for the next fit, and
 * ended when none comes for `idleThreadMs`, since an idle thread holds tens of megabytes.
 */
export class FitPool {
  readonly #options: FitPoolOptions
  readonly #idle: Worker[] = []
  readonly #busy = new Set<Worker>()
  #count = 0
  #closed = false
  /** Aborts the wait after which an idle thread is ended. */
  #rest = new AbortController()

  constructor(options: FitPoolOptions) {
    this.#options = options
  }

  /**
   * The thread's answer; `crashed` when it ended without one. When the signal aborts the thread is
   * told to stop, and ended if it does not; then this rejects with the signal's reason.
   */
  async fit(
    work: FitWork,
    signal: AbortSignal,
    onStart: (under: FitUnderWay) => void = () => {},
  ): Promise<FitReply> {
    signal.throwIfAborted()
    if (this.#closed || this.#busy.size >= this.#options.workersMax)
      throw new Bug('more fits at once than there are threads')
    this.#rest.abort()
    const worker = this.#idle.pop() ?? this.#spawn()
    this.#busy.add(worker)
    try {
      const reply = await this.#ask(worker, work, signal, onStart)
      signal.throwIfAborted()
      return reply
    } finally {
      this.#busy.delete(worker)
      // An ended thread has no id.
      if (worker.threadId > 0 && !this.#closed) this.#idle.push(worker)
      else await worker.terminate()
      this.#keepWarm()
      this.#endIdleLater()
    }
  }

  /** Ends all threads, whatever they do. */
  async close(): Promise<void> {
    this.#closed = true
    this.#rest.abort()
    await Promise.all([...this.#idle, ...this.#busy].map((worker) => worker.terminate()))
  }

  async #ask(
    worker: Worker,
    work: FitWork,
    signal: AbortSignal,
    onStart: (under: FitUnderWay) => void,
  ): Promise<FitReply> {
    const id = ++this.#count
    const control = new FitControl()
    const settled = new AbortController()
    const reply = replyOf(worker, id)
    const stop = () => {
      control.stop()
      this.#options.clock
        .sleep(bounds.workerStopMs, settled.signal)
        .then(() => worker.terminate())
        .catch(() => {})
    }
    signal.addEventListener('abort', stop, { once: true })
    worker.postMessage({ ...work, id, control: control.memory } satisfies FitRequest)
    onStart(control)
    try {
      return await reply
    } finally {
      signal.removeEventListener('abort', stop)
      settled.abort()
    }
  }

  #keepWarm(): void {
    const room = this.#idle.length === 0 && this.#busy.size < this.#options.workersMax
    if (!this.#closed && room) this.#idle.push(this.#spawn())
  }

  #endIdleLater(): void {
    if (this.#closed) return
    this.#rest.abort()
    this.#rest = new AbortController()
    this.#options.clock
      .sleep(bounds.idleThreadMs, this.#rest.signal)
      .then(() => Promise.all(this.#idle.splice(0).map((worker) => worker.terminate())))
      // A fit came, or the pool was closed.
      .catch(() => {})
  }

  #spawn(): Worker {
    const worker = new Worker(this.#options.workerFile ?? defaultWorkerFile, {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.#options.memoryMb },
    })
    // What goes wrong in a thread is told by its exit, to whoever waits for it.
    worker.on('error', () => {})
    worker.once('exit', () => {
      const index = this.#idle.indexOf(worker)
      if (index >= 0) this.#idle.splice(index, 1)
    })
    return worker
  }
}

const defaultWorkerFile = new URL('./fit-worker.ts', import.meta.url)

function replyOf(worker: Worker, id: number): Promise<FitReply> {
  return new Promise((resolve) => {
    let detail = 'the fitting thread ended'
    const finish = (reply: FitReply) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      resolve(reply)
    }
    const onMessage = (reply: FitReply) => {
      if (reply.id === id) finish(reply)
    }
    const onError = (error: unknown) => {
      detail = error instanceof Error ? error.message : String(error)
    }
    const onExit = () => finish({ kind: 'crashed', id, detail })
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    // It may have ended while it was idle and before anybody listened.
    if (worker.threadId <= 0) onExit()
  })
}
