import { Worker } from 'node:worker_threads'
import type { AnyModel, Refusal } from '@almanac/engine'
import type { RegressionModel } from '@almanac/tables/regress'

export type DecodeReply =
  | { readonly kind: 'model'; readonly sha256: string; readonly model: AnyModel }
  | { readonly kind: 'refused'; readonly sha256: string; readonly reason: Refusal }

export type RegressionReply = {
  readonly sha256: string
  readonly decoded: RegressionModel | { readonly fault: string }
}

/**
 * What the bytes hold, and their checksum, worked out in a thread of its own: 200 MB would stop
 * everything else for seconds. Takes the bytes away from the caller. The thread ends with its
 * work, and gives back its memory; a thread that fails rejects, and so does an aborted signal.
 */
export function decodeAside(
  bytes: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<DecodeReply> {
  return aside(new URL('./decode-worker.ts', import.meta.url), bytes, signal)
}

/** The same of a regression; one that lies in shared memory is copied. */
export function decodeRegressionAside(
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<RegressionReply> {
  const file = new URL('./decode-regression-worker.ts', import.meta.url)
  return aside(file, isOwn(bytes) ? bytes : Uint8Array.from(bytes), signal)
}

/** Whether it is in memory that can be handed over, and has all of it. */
function isOwn(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
}

async function aside<Reply>(
  file: URL,
  bytes: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<Reply> {
  signal.throwIfAborted()
  const worker = new Worker(file, {
    workerData: { bytes },
    transferList: [bytes.buffer],
    execArgv: [],
  })
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const giveUp = () => reject(signal.reason)
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('the decoding thread ended')))
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', giveUp)
    await worker.terminate()
  }
}
