/** A fitting thread that does what the spec says, for faults that no real fit has on demand. */
import { parentPort } from 'node:worker_threads'
import { FitControl, type FitReply, type FitRequest } from '../../src/fitting/worker-protocol.ts'

export type Script = {
  readonly act: 'until-stopped' | 'deaf' | 'exit' | 'out-of-memory' | 'throw' | 'answer'
  readonly afterMs?: number
}

parentPort?.on('message', (request: FitRequest) => {
  const { act, afterMs = 0 } = request.spec as Script
  pause(afterMs)
  const control = new FitControl(request.control)
  const { id } = request
  if (act === 'exit') process.exit(3)
  if (act === 'throw') throw new Error('thrown in the thread')
  if (act === 'out-of-memory') fillMemory()
  if (act === 'deaf') for (;;) pause(1_000)
  if (act === 'until-stopped') {
    control.setProgress(0.25)
    while (!control.shouldStop()) pause(5)
    reply({ kind: 'stopped', id })
    return
  }
  const report = { sigma2: 1, loglik: Number.NEGATIVE_INFINITY }
  reply({ kind: 'fitted', id, model: Uint8Array.of(1, 2, 3), report, calendar: null })
})

function reply(message: FitReply): void {
  parentPort?.postMessage(message)
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function fillMemory(): never {
  const kept: object[] = []
  for (;;) kept.push({ more: Array.from({ length: 1_000 }, (_, i) => String(i)) })
}
