import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** By host and port that are called, the port on loopback where the way there begins. */
export type PeerWays = Readonly<Record<string, number>>
export type PeerProxyPlan = { readonly port: number; readonly ways: PeerWays }

const startMs = 10_000

/**
 * Listens in a thread of its own: members must not elect a leader because whoever breaks them is
 * busy. An error in it is nobody's fault but ours, and ends the process.
 */
export async function startPeerProxies(
  plans: readonly PeerProxyPlan[],
): Promise<{ readonly close: () => Promise<void> }> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: plans })
  await once(worker, 'message', { signal: AbortSignal.timeout(startMs) })
  return {
    close: async () => {
      await worker.terminate()
    },
  }
}
