import { setTimeout as delay } from 'node:timers/promises'
import { call } from '../../e2e/support/client.ts'
import { smallSeries, smallSpec } from '../../e2e/support/data.ts'

export type CyclesOptions = {
  readonly url: string
  /** One for each cycle. */
  readonly seeds: readonly number[]
  readonly perSecond: number
  readonly models: number
  readonly signal: AbortSignal
  /** Told after each cycle. */
  readonly onCycle: (done: number) => void
  readonly onFault: (what: string) => void
  /** Something was refused for a moment, and asked for again. */
  readonly onRefusal: () => void
}

/**
 * Fit, promotion, forecast, load and unload, again and again at an even pace. Every model has a
 * client of its own; a cycle that is late is not made up for by a burst.
 */
export async function runCycles(options: CyclesOptions): Promise<void> {
  const { models, perSecond, seeds, signal } = options
  const startedMs = performance.now()
  let next = 0
  let done = 0
  const client = async (model: string) => {
    while (next < seeds.length && !signal.aborted) {
      const number = next++
      const dueMs = startedMs + (number / perSecond) * 1_000
      await delay(Math.max(0, dueMs - performance.now()), undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      await cycle(options, model, seeds[number] ?? 0, number)
      options.onCycle(++done)
    }
  }
  await Promise.all(Array.from({ length: models }, (_, i) => client(`soak-${i}`)))
}

/** A backend that is slow for a moment, on a busy machine, is no fault of what is soaked. */
const triesMax = 3
const retryMs = 1_000

async function withPatience(
  { onRefusal, signal }: CyclesOptions,
  send: () => ReturnType<typeof call>,
) {
  for (let left = triesMax; ; left--) {
    const answer = await send()
    if (answer.status !== 503 || left <= 1) return answer
    onRefusal()
    await delay(retryMs, undefined, { signal })
  }
}

/** Versions back from which a pinned one is asked for: more than all nodes keep on demand. */
const pinnedRange = 60
const rollbackEvery = 50

async function cycle(
  options: CyclesOptions,
  model: string,
  seed: number,
  number: number,
): Promise<void> {
  const { url, onFault } = options
  const fail = (what: string, got: unknown) =>
    onFault(`cycle ${number} (seed ${seed}) of ${model}: ${what}: ${JSON.stringify(got)}`)
  try {
    const data = smallSeries(10 + (seed % 1_000), 120)
    const api = `${url}/api/models/${model}`
    const ask = (path: string, body?: unknown) =>
      withPatience(options, () => call('POST', `${api}/${path}`, { body }))
    const fitted = await ask('fit', { data, spec: smallSpec })
    if (fitted.status !== 200) return fail('fit', [fitted.status, fitted.text])
    const version = Number(fitted.headers['x-model-version'])
    const asked = await call('GET', `${api}/forecast/12?level=80`)
    if (asked.status !== 200 || Number(asked.headers['x-model-version']) < version)
      fail(`forecast of ${version}`, [asked.status, asked.headers['x-model-version'], asked.text])
    const pinned = Math.max(1, version - 1 - (seed % pinnedRange))
    const old = await call('GET', `${api}/forecast/3?version=${pinned}`)
    if (old.status !== 200) fail(`version ${pinned} of ${version}`, [old.status, old.text])
    if (number % rollbackEvery !== rollbackEvery - 1 || version < 2) return
    const back = await ask('rollback', {})
    const released = await ask('release')
    if (back.status > 202 || released.status > 202) fail('rollback', [back.text, released.text])
  } catch (error) {
    fail('broke off', (error as Error).message)
  }
}
