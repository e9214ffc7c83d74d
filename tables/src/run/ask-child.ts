import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { FromChild, Telling, ToChild } from './protocol.ts'

type Answer = Exclude<FromChild, Telling>

type Bounds = {
  readonly heapMb?: number
  /** So long it has to end what others do for it. */
  readonly leaveMs?: number
}

/** Starts a process for one question, and ends it with the answer, a fault or the signal. */
export async function askChild(
  question: ToChild,
  signal: AbortSignal,
  hear: (message: Telling, child: ChildProcess) => Promise<void>,
  { heapMb, leaveMs = 0 }: Bounds = {},
): Promise<Answer> {
  const child = fork(new URL('./table-process.ts', import.meta.url), {
    execArgv: [
      // V8 may abort where threads come and go: docs/decisions/threads.md.
      '--wasm-wrapper-tiering-budget=1000000000',
      // A young generation of 48 MB, the default, gains nothing here.
      '--max-semi-space-size=4',
      ...(heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`]),
    ],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let lastWords = ''
  child.stderr?.on('data', (data: Buffer) => {
    lastWords = (lastWords + data).slice(-lastWordsCharacters)
  })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const end = async () => {
    if (leaveMs > 0 && child.connected) {
      // It may be gone by now, which is as good.
      child.send({ kind: 'leave' } satisfies ToChild, () => {})
      await Promise.race([gone, delay(leaveMs, undefined, { ref: false })])
    }
    child.kill('SIGKILL')
  }
  signal.addEventListener('abort', end, { once: true })
  try {
    return await new Promise<Answer>((resolve, reject) => {
      child.on('message', (message: FromChild) => {
        if (isTelling(message)) hear(message, child).catch(reject)
        else resolve(message)
      })
      child.once('error', reject)
      child.once('close', (code, ended) => {
        if (signal.aborted) reject(signal.reason)
        else resolve({ kind: 'failed', detail: endOf(code, ended, lastWords) })
      })
      child.send(question)
    })
  } finally {
    signal.removeEventListener('abort', end)
    await end()
    await gone
  }
}

const tellings: ReadonlySet<FromChild['kind']> = new Set(['shard', 'part', 'progress', 'fitting'])
const isTelling = (message: FromChild): message is Telling => tellings.has(message.kind)

const lastWordsCharacters = 1_000

function endOf(code: number | null, signal: string | null, words: string): string {
  const how = signal === null ? `with code ${code}` : `by ${signal}`
  const why = signal === 'SIGKILL' ? ' The system may have been out of memory.' : ''
  const said = words.trim() === '' ? '' : ` It said: ${words.trim()}`
  return `The process that read the table was ended ${how}.${why}${said}`
}
