import { setTimeout as delay } from 'node:timers/promises'
import { call } from '../../e2e/support/client.ts'
import { modelName } from './seed.ts'

export type Latencies = {
  readonly asked: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly worstMs: number
  readonly faults: readonly string[]
}

export type ProbeOptions = {
  readonly url: string
  /** Seeded models to choose among. */
  readonly models: number
  readonly perSecond: number
  /** Ends it, unless it ends by `count`. */
  readonly signal: AbortSignal
  readonly count?: number
}

/**
 * Forecasts of models by turns, each at its time whether or not those before it have been answered,
 * and counted from that time: one that is held up holds up nobody else, and hides nothing.
 */
export async function probe(options: ProbeOptions): Promise<Latencies> {
  const { url, models, perSecond, signal, count = Number.POSITIVE_INFINITY } = options
  const faults: string[] = []
  const tookMs: number[] = []
  const open: Promise<void>[] = []
  const startedMs = performance.now()
  for (let i = 0; i < count && !signal.aborted; i++) {
    const dueMs = startedMs + (i / perSecond) * 1_000
    await delay(Math.max(0, dueMs - performance.now()), undefined, { signal }).catch(() => {})
    if (signal.aborted) break
    const model = modelName((i * stride) % models)
    // A horizon of its own: otherwise the broker would answer from what it keeps.
    const path = `/api/models/${model}/forecast/${1 + (i % horizons)}?level=${50 + (i % 49)}`
    open.push(
      call('GET', url + path, { timeoutMs: 20_000 })
        .then(({ status, text }) => {
          if (status !== 200) faults.push(`${model}: ${status} ${text.slice(0, 200)}`)
        })
        .catch((error: Error) => void faults.push(`${model}: ${error.message}`))
        .then(() => void tookMs.push(performance.now() - dueMs)),
    )
  }
  await Promise.all(open)
  const sorted = tookMs.sort((a, b) => a - b)
  const at = (share: number) => round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0)
  return { asked: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), worstMs: at(1), faults }
}

/** Prime, so that every model comes by. */
const stride = 7_919
const horizons = 40

const round = (ms: number) => Math.round(ms * 100) / 100
