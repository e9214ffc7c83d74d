import { parentPort } from 'node:worker_threads'

/** A number that no other data have: a thread that is to fit data with it ends at once. */
export const crashingValue = 666_013.4375

/**
 * Stands for data that nobody has found yet: those at which the fitting thread does not fail but
 * ends. What follows is the node's own.
 */
export function crashOnData(): void {
  const marker = String(crashingValue)
  parentPort?.on('message', ({ dataset }: { readonly dataset?: unknown }) => {
    if (dataset instanceof Uint8Array && Buffer.from(dataset).includes(marker)) process.exit(134)
  })
}
