import { Worker } from 'node:worker_threads'
import { Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import { within } from '../../base/within.ts'
import type { LogOperations } from './log-database.ts'

export type LogRequest =
  | { readonly name: keyof LogOperations; readonly args: readonly unknown[] }
  | 'close'

export type LogAnswer =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly message: string }

type Waiting = {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

export type LogThread = {
  readonly call: <N extends keyof LogOperations>(
    name: N,
    args: Parameters<LogOperations[N]>,
    signal: AbortSignal,
  ) => Promise<ReturnType<LogOperations[N]>>
  readonly close: () => Promise<void>
}

const callsMax = 1_000
const never = new AbortController().signal

/** Opens the log in a thread of its own. Rejects when the file cannot be opened. */
export async function openLogThread(path: string): Promise<LogThread> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: path,
    execArgv: [],
  })
  const waiting: Waiting[] = []
  let gone: Error | undefined
  const fail = (error: Error) => {
    gone ??= error
    for (const { reject } of waiting.splice(0)) reject(gone)
  }
  worker.on('message', (answer: LogAnswer) => {
    const first = waiting.shift()
    // A call under way keeps the process alive, an idle thread does not.
    if (waiting.length === 0) worker.unref()
    if (answer.kind === 'done') first?.resolve(answer.value as never)
    else first?.reject(unavailable(answer.message))
  })
  worker.on('error', (error: Error) => fail(unavailable(error.message)))
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      fail(unavailable('its thread has ended'))
      resolve()
    })
  })
  const answered = <T>(signal: AbortSignal) => {
    const work = new Promise<T>((resolve, reject) => waiting.push({ resolve, reject }))
    const { messageCallMs } = limits
    return within(work, messageCallMs, () => unavailable(`nothing in ${messageCallMs} ms`), signal)
  }
  try {
    await answered(never)
  } catch (error) {
    await worker.terminate()
    throw new Error(`${path} cannot be opened: ${(error as Error).message}`)
  }
  return {
    call: async (name, args, signal) => {
      signal.throwIfAborted()
      if (gone) throw gone
      if (waiting.length >= callsMax) throw unavailable(`${callsMax} calls wait already`)
      worker.ref()
      worker.postMessage({ name, args } satisfies LogRequest)
      return await answered(signal)
    },
    close: async () => {
      if (gone === undefined) worker.postMessage('close' satisfies LogRequest)
      gone ??= unavailable('closed')
      worker.ref()
      await exited
    },
  }
}

const unavailable = (message: string) => new Unavailable('messages', `the log: ${message}`)
