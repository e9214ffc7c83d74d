import { Worker } from 'node:worker_threads'
import { Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import { beforeDeadline } from '../deadline.ts'
import type { Operations } from './operations.ts'
import { errorOf, type WorkerReply, type WorkerRequest } from './protocol.ts'

type Call = {
  readonly id: number
  readonly name: keyof Operations
  readonly args: readonly unknown[]
  readonly transfer: readonly ArrayBuffer[]
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/** A worker that could not open its database is tried again after this long. */
const restartMs = 250
/** A long write-ahead log is replayed at opening. */
const openTimeoutMs = 30_000
const never = new AbortController().signal

/**
 * Sends calls to the database's thread, one at a time, so that a call given up while it waits is
 * never carried out. If the thread dies, the call that it was at rejects with `Unavailable`, for
 * its outcome is unknown, and the waiting ones go to the next thread.
 */
export class WorkerHost {
  readonly #path: string
  readonly #callTimeoutMs: number
  readonly #waiting: Call[] = []
  #worker: Worker | undefined
  #current: Call | undefined
  #open = false
  #closed = false
  #calls = 0
  #restart: NodeJS.Timeout | undefined

  constructor(path: string, callTimeoutMs: number) {
    this.#path = path
    this.#callTimeoutMs = callTimeoutMs
  }

  /** Starts the first worker. Rejects, with nothing left running, when it cannot open the file. */
  async start(): Promise<void> {
    const worker = this.#spawn()
    const opened = new Promise<void>((resolve, reject) => {
      worker.once('message', (reply: WorkerReply) =>
        reply.kind === 'refused' ? reject(errorOf(reply.fault)) : resolve(),
      )
      worker.once('error', reject)
      worker.once('exit', () => reject(new Unavailable('store', 'the database thread ended')))
    })
    try {
      await beforeDeadline(opened, 'opening the database', openTimeoutMs, never)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async call<Name extends keyof Operations>(
    name: Name,
    args: Parameters<Operations[Name]>,
    signal: AbortSignal,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<ReturnType<Operations[Name]>> {
    signal.throwIfAborted()
    if (this.#closed) throw new Unavailable('store', 'the store is closed')
    if (this.#waiting.length >= limits.storeCallsWaitingMax)
      throw new Unavailable('store', `${this.#waiting.length} calls are waiting already`)
    let call: Call | undefined
    const work = new Promise<ReturnType<Operations[Name]>>((resolve, reject) => {
      call = { id: ++this.#calls, name, args, transfer, resolve, reject }
      this.#waiting.push(call)
    })
    this.#next()
    try {
      return await beforeDeadline(work, name, this.#callTimeoutMs, signal)
    } finally {
      const index = this.#waiting.indexOf(call!)
      if (index >= 0) this.#waiting.splice(index, 1)
    }
  }

  /** Refuses what waits, lets the call in progress finish, closes the file and ends the thread. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#restart)
    for (const call of this.#waiting.splice(0)) call.reject(closed())
    const worker = this.#worker
    if (worker === undefined || worker.threadId < 0) return
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage('close' satisfies WorkerRequest)
    try {
      await beforeDeadline(exited, 'closing the database', this.#callTimeoutMs, never)
    } catch {
      // Nothing acknowledged is lost: the write-ahead log is replayed at the next start.
      await worker.terminate()
    }
  }

  /** For tests of what happens when the thread dies. */
  async kill(): Promise<void> {
    await this.#worker?.terminate()
  }

  #spawn(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { path: this.#path },
      execArgv: [],
    })
    this.#worker = worker
    this.#open = false
    worker.on('message', (reply: WorkerReply) => this.#receive(reply))
    worker.on('error', () => {})
    worker.once('exit', () => this.#exited())
    return worker
  }

  #receive(reply: WorkerReply): void {
    if (reply.kind === 'refused') return
    if (reply.kind === 'open') {
      this.#open = true
      this.#next()
      return
    }
    const call = this.#current
    if (call === undefined || call.id !== reply.id) return
    this.#current = undefined
    if (reply.kind === 'done') call.resolve(reply.value as never)
    else call.reject(errorOf(reply.fault))
    this.#next()
  }

  #next(): void {
    if (!this.#open || this.#current !== undefined) return
    const call = this.#waiting.shift()
    if (call === undefined) return
    this.#current = call
    const { id, name, args, transfer } = call
    this.#worker?.postMessage({ id, name, args } satisfies WorkerRequest, transfer)
  }

  #exited(): void {
    this.#open = false
    this.#current?.reject(new Unavailable('store', 'the database thread ended'))
    this.#current = undefined
    if (!this.#closed) this.#restart = setTimeout(() => this.#spawn(), restartMs)
  }
}

function closed(): Unavailable {
  return new Unavailable('store', 'the store is closed')
}
