/**
 * The real fitting thread, which ends without a word when it comes to a series at one of the places
 * in `ALMANAC_TEST_CRASH_AT`, unless that is passed over.
 */
import { parentPort } from 'node:worker_threads'
import type { FitRequest } from '../../src/fitting/worker-protocol.ts'

const places = new Set((process.env.ALMANAC_TEST_CRASH_AT ?? '').split(',').map(Number))
let passedOver: FitRequest['passedOver'] = null
parentPort?.on('message', (request: FitRequest) => {
  passedOver = request.passedOver
})
const placeCell = 2
const store = Atomics.store.bind(Atomics)
Atomics.store = ((cells: Int32Array, cell: number, value: number) => {
  const place = value - 1
  const isFitted = cell === placeCell && passedOver?.has(place) === false
  const stored = store(cells, cell, value)
  if (isFitted && places.has(place)) process.exit(9)
  return stored
}) as typeof Atomics.store

await import('../../src/fitting/fit-worker.ts')
