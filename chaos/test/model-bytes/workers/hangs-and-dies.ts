import { workerData } from 'node:worker_threads'
import type { WorkerInput } from '../../../model-bytes/worker-host.ts'

/* Hangs at seed 2, dies of seed 4, and of seed 6 for want of memory. */
const { seeds, done } = workerData as WorkerInput
Atomics.store(done, 1, 1)
for (const seed of seeds) {
  if (seed === 2) for (;;);
  if (seed === 4) throw new Error('four')
  if (seed === 6) for (const all: string[][] = []; ; ) all.push(new Array<string>(1e6).fill('x'))
  Atomics.add(done, 0, 1)
}
