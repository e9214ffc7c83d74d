import { Worker } from 'node:worker_threads'
import type { AnyModel, Refusal } from '@almanac/engine'

export type DecodeReply =
  | { readonly kind: 'model'; readonly sha256: string; readonly model: AnyModel }
  | { readonly kind: 'refused'; readonly sha256: string; readonly reason: Refusal }

/**
 * What the bytes hold, and their checksum, worked out in a thread of its own: 200 MB would stop
 * everything else for seconds. Takes the bytes away from the caller. The thread ends with its
 * work, and gives back its memory; a thread that fails rejects, and so does an aborted signal.
 */
export async function decodeAside(
  bytes: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<DecodeReply> {
  signal.throwIfAborted()
  const worker = new Worker(new URL('./decode-worker.ts', import.meta.url), {
    workerData: { bytes },
    transferList: [bytes.buffer],
    execArgv: [],
  })
  const { promise, resolve, reject } = Promise.withResolvers<DecodeReply>()
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
