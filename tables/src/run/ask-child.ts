import { type ChildProcess, fork } from 'node:child_process'
import type { FromChild, Telling, ToChild } from './protocol.ts'

type Answer = Exclude<FromChild, Telling>

/** Starts a process for one question, and ends it with the answer, a fault or the signal. */
export async function askChild(
  question: ToChild,
  signal: AbortSignal,
  hear: (message: Telling, child: ChildProcess) => Promise<void>,
  heapMb?: number,
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
  const end = () => child.kill('SIGKILL')
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
    end()
    await gone
  }
}

const isTelling = (message: FromChild): message is Telling =>
  message.kind === 'shard' || message.kind === 'progress' || message.kind === 'fitting'

const lastWordsCharacters = 1_000

function endOf(code: number | null, signal: string | null, words: string): string {
  const how = signal === null ? `with code ${code}` : `by ${signal}`
  const why = signal === 'SIGKILL' ? ' The system may have been out of memory.' : ''
  const said = words.trim() === '' ? '' : ` It said: ${words.trim()}`
  return `The process that read the table was ended ${how}.${why}${said}`
}
