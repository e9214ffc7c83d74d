import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../shared/src/index.ts'
import { createAttempts } from './attempts.ts'
import { readSamples } from './samples.ts'
import type { WorkerInput, WorkerReport } from './worker-host.ts'

/*
 * Tries one seed after the other and says when it is through with each: who hears nothing more
 * knows which one hangs or kills.
 */

assert(parentPort, 'attempts run in a worker thread')
const port = parentPort
const { seeds, done } = workerData as WorkerInput
const attempt = createAttempts(readSamples())
Atomics.store(done, 1, 1)
for (const seed of seeds) {
  const violations = await attempt(seed)
  if (violations.length > 0) port.postMessage({ seed, violations } satisfies WorkerReport)
  Atomics.add(done, 0, 1)
}
