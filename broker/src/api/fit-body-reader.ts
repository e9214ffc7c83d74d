import { Worker } from 'node:worker_threads'
import { Refused } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { type FitBody, readFitBody } from './fit-body.ts'
import { type BodyFault, refusedBody } from './series-body.ts'

/** Reads fit bodies: small ones here, large ones in a thread, so that forecasts do not wait. */
export type FitBodyReader = {
  /** Throws `Refused` with the fault, or when too many bodies are being read already. */
  readonly read: (bytes: Buffer) => Promise<FitBody>
  readonly close: () => Promise<void>
}

type Pending = {
  readonly resolve: (body: FitBody | BodyFault) => void
  readonly reject: (error: Error) => void
}

export function createFitBodyReader(
  bounds: Pick<Bounds, 'fitBodiesMax' | 'fitBodyInlineBytes'>,
): FitBodyReader {
  const pending = new Map<number, Pending>()
  let worker: Worker | undefined
  let lastId = 0

  const failAll = (error: Error) => {
    worker = undefined
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  const start = () => {
    const started = new Worker(new URL('./fit-body-worker.ts', import.meta.url))
    started.unref()
    started.on('message', ({ id, body }: { id: number; body: FitBody | BodyFault }) => {
      pending.get(id)?.resolve(body)
      pending.delete(id)
    })
    started.on('error', failAll)
    started.on('exit', () => failAll(new Error('the thread that reads bodies ended')))
    return started
  }
  const readInThread = (bytes: Buffer) => {
    if (pending.size >= bounds.fitBodiesMax) {
      const detail = 'This broker takes in as many large bodies as it can.'
      throw new Refused(429, 'too-many-fits', detail, { retryAfterSeconds: 1 })
    }
    worker ??= start()
    lastId += 1
    const id = lastId
    const copy = new Uint8Array(bytes)
    const done = new Promise<FitBody | BodyFault>((resolve, reject) => {
      pending.set(id, { resolve, reject })
    })
    worker.postMessage({ id, bytes: copy }, [copy.buffer])
    return done
  }
  return {
    read: async (bytes) => {
      const isSmall = bytes.byteLength <= bounds.fitBodyInlineBytes
      const body = isSmall ? readFitBody(bytes) : await readInThread(bytes)
      if (body.kind === 'fit') return body
      throw refusedBody(body)
    },
    close: async () => {
      await worker?.terminate()
    },
  }
}
