import { availableParallelism } from 'node:os'
import { type AnyModel, decodeModel, type Outcome, parseSpec, type Series } from '../src/index.ts'
import { answersInOrder } from './crew.ts'
import type { Answer, Task } from './messages.ts'

export type WorkersRun = {
  readonly seed: number
  /** For each series, as in `Run`. */
  readonly workMax: number
  /** Asks all fits to stop: those that have begun return their best so far. */
  readonly signal?: AbortSignal
}

export type WorkersOptions = {
  /** Threads; as many as there are processors unless told otherwise. */
  readonly workers?: number
  /** The file that the threads run. */
  readonly entry?: URL
}

/**
 * `fitMany` on worker threads of Node: the same outcomes with the same bytes, in the same order.
 * No more of the batch is read ahead than keeps the threads busy. A thread that dies costs the one
 * series that it was fitting, which is refused with the code `worker-failed`.
 */
export async function* fitManyInWorkers(
  batch: Iterable<Series>,
  spec: unknown,
  { seed, workMax, signal }: WorkersRun,
  { workers = availableParallelism(), entry = usualEntry }: WorkersOptions = {},
): AsyncGenerator<Outcome<AnyModel>, void, undefined> {
  if (!Number.isInteger(workers) || workers < 1 || workers > workersMax) {
    throw new RangeError(`workers has to be a whole number from 1 to ${workersMax}`)
  }
  const parsed = parseSpec(spec)
  if (parsed.kind === 'refused') {
    for (const _ of batch) yield parsed
    return
  }
  const stop = new SharedArrayBuffer(4)
  const onAbort = () => Atomics.store(new Int32Array(stop), 0, 1)
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort)
  try {
    const setup = { spec: parsed.value, seed, workMax, stop }
    for await (const answer of answersInOrder(tasksOf(batch), setup, { workers, entry })) {
      yield outcomeOf(answer)
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Threads of one batch: each costs some 10 MB. */
const workersMax = 256
const usualEntry = new URL('./fit-worker.ts', import.meta.url)

function* tasksOf(batch: Iterable<Series>): Generator<Task, void, undefined> {
  let place = 0
  for (const series of batch) yield { place: place++, series: { ...series, y: compact(series.y) } }
}

/** A view of a long series would take all of it along to the other thread. */
function compact(y: Float64Array): Float64Array {
  return y.byteLength === y.buffer.byteLength ? y : y.slice()
}

function outcomeOf(answer: Answer): Outcome<AnyModel> {
  if (answer.kind === 'refused') return answer
  const { kind, bytes, report } = answer
  const model = decodeModel(bytes)
  return model.kind === 'refused' ? model : { kind, value: model.value, report }
}
