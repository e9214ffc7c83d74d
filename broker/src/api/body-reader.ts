import { Worker } from 'node:worker_threads'
import { Refused } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { type BodyTask, type BodyTasks, bodyTasks } from './body-tasks.ts'
import type { FitBody } from './fit-body.ts'
import type { ObservationsBody } from './observations-body.ts'
import { type BodyFault, refusedBody } from './series-body.ts'

/** Reads bodies: small ones here, large ones in a thread, so that forecasts do not wait. */
export type BodyReader = {
  /** Throws `Refused` with the fault, or when too many bodies are being read already. */
  readonly readFit: (bytes: Buffer) => Promise<FitBody>
  readonly readObservations: (bytes: Buffer) => Promise<ObservationsBody>
  /** See `cutNews`. Throws `Refused` when too many bodies are being read already. */
  readonly cutNews: (
    bytes: Uint8Array,
    firsts: readonly string[],
  ) => Promise<ReturnType<BodyTasks['cutNews']>>
  readonly close: () => Promise<void>
}

type Pending = {
  readonly resolve: (made: never) => void
  readonly reject: (error: Error) => void
}

export function createBodyReader(
  bounds: Pick<Bounds, 'fitBodiesMax' | 'fitBodyInlineBytes'>,
): BodyReader {
  const pending = new Map<number, Pending>()
  let worker: Worker | undefined
  let lastId = 0

  const failAll = (error: Error) => {
    worker = undefined
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  const start = () => {
    const started = new Worker(new URL('./body-worker.ts', import.meta.url))
    started.unref()
    started.on('message', ({ id, made }: { id: number; made: never }) => {
      pending.get(id)?.resolve(made)
      pending.delete(id)
    })
    started.on('error', failAll)
    started.on('exit', () => failAll(new Error('the thread that reads bodies ended')))
    return started
  }
  const inThread = <T extends BodyTask>(task: T, bytes: Uint8Array, rest: readonly unknown[]) => {
    if (pending.size >= bounds.fitBodiesMax) {
      const detail = 'This broker takes in as many large bodies as it can.'
      throw new Refused(429, 'too-many-fits', detail, { retryAfterSeconds: 1 })
    }
    worker ??= start()
    lastId += 1
    const id = lastId
    const copy = new Uint8Array(bytes)
    const done = new Promise<ReturnType<BodyTasks[T]>>((resolve, reject) => {
      pending.set(id, { resolve, reject })
    })
    worker.postMessage({ id, task, args: [copy, ...rest] }, [copy.buffer])
    return done
  }
  const isSmall = ({ byteLength }: Uint8Array) => byteLength <= bounds.fitBodyInlineBytes
  return {
    readFit: async (bytes) =>
      good(
        isSmall(bytes) ? bodyTasks.readFitBody(bytes) : await inThread('readFitBody', bytes, []),
      ),
    readObservations: async (bytes) =>
      good(
        isSmall(bytes)
          ? bodyTasks.readObservationsBody(bytes)
          : await inThread('readObservationsBody', bytes, []),
      ),
    cutNews: async (bytes, firsts) =>
      isSmall(bytes)
        ? bodyTasks.cutNews(bytes, firsts)
        : await inThread('cutNews', bytes, [firsts]),
    close: async () => {
      await worker?.terminate()
    },
  }
}

function good<T extends { readonly kind: string }>(body: T | BodyFault): T {
  if (body.kind === 'fault') throw refusedBody(body as BodyFault)
  return body as T
}
