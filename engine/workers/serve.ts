import { parentPort, workerData } from 'node:worker_threads'
import { fitOneOfMany } from '../src/batch/fit-many.ts'
import { encodeModel } from '../src/index.ts'
import type { Answer, FromWorker, Task, WorkerSetup } from './messages.ts'

/** Fits what comes in, one series after the other; runs inside of a worker thread. */
export function serveFits(beforeEach: (task: Task) => void = () => {}): void {
  const port = parentPort
  if (port === null) throw new Error('this file runs in a worker thread')
  const { spec, seed, workMax, stop } = workerData as WorkerSetup
  const flag = new Int32Array(stop)
  const run = { seed, workMax, shouldStop: () => Atomics.load(flag, 0) !== 0 }
  const send = (message: FromWorker) => port.postMessage(message)

  port.on('message', (task: Task) => {
    beforeEach(task)
    send(fitted(task))
  })
  send('ready')

  function fitted({ series, place }: Task): Answer {
    const outcome = fitOneOfMany(series, place, spec, run)
    if (outcome.kind === 'refused') return outcome
    return { kind: outcome.kind, bytes: encodeModel(outcome.value), report: outcome.report }
  }
}
