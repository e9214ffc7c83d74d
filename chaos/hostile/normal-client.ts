import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export type NormalReport = {
  readonly asked: number
  readonly failures: readonly string[]
  readonly times: readonly number[]
}

export type NormalClient = {
  /** Waits for what is open, and tells how it went. */
  readonly end: () => Promise<NormalReport>
}

const everyMs = 10
/** What is open is answered or given up by then. */
const endMs = 10_000

/** Starts a client that means no harm, so that harm is noticed. */
export function startNormalClient(host: string, port: number): NormalClient {
  const workerData = { host, port, everyMs }
  const worker = new Worker(new URL('./normal-client-worker.ts', import.meta.url), { workerData })
  return {
    end: async () => {
      worker.postMessage('end')
      const [report] = await once(worker, 'message', { signal: AbortSignal.timeout(endMs) })
      await worker.terminate()
      return report as NormalReport
    },
  }
}

export function quantileMs(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)
}
