import { Pool } from 'undici'
import { openLoop } from './open-loop.ts'

/** One request as its client saw it; times on the client's monotonic clock. */
export type Seen = {
  readonly broker: number
  readonly model: string
  readonly horizon: number
  /** With a level that nobody asked for before, so that no cache has the answer. */
  readonly isNew: boolean
  readonly sentMs: number
  readonly doneMs: number
  /** 0 when there was no answer at all. */
  readonly status: number
  readonly version: number
  readonly text: string
}

export type Load = {
  readonly seen: readonly Seen[]
  /** Ends it after the last answer. */
  stop(): Promise<readonly Seen[]>
}

/**
 * A steady stream of forecasts, open loop: requests are sent on time whatever became of those
 * before. Brokers, models and horizons take turns; two of three requests must reach a node.
 */
export function startLoad(options: {
  readonly brokers: readonly string[]
  readonly models: readonly string[]
  readonly horizons: readonly number[]
  readonly perSecond: number
}): Load {
  const { brokers, models, horizons, perSecond } = options
  const pools = brokers.map((url) => new Pool(url, { connections: 64, pipelining: 1 }))
  const seen: Seen[] = []
  const one = async (n: number) => {
    const broker = n % pools.length
    const model = models[Math.floor(n / pools.length) % models.length] as string
    const horizon = horizons[
      Math.floor(n / (pools.length * models.length)) % horizons.length
    ] as number
    const isNew = Math.floor(n / (pools.length * models.length)) % 3 !== 0
    const query = isNew ? `?level=${(50 + (n % 400_000) / 10_000).toFixed(4)}` : ''
    const sentMs = performance.now()
    let [status, version, text] = [0, 0, '']
    try {
      const response = await (pools[broker] as Pool).request({
        method: 'GET',
        path: `/api/models/${model}/forecast/${horizon}${query}`,
        signal: AbortSignal.timeout(15_000),
      })
      text = await response.body.text()
      status = response.statusCode
      version = Number(response.headers['x-model-version'] ?? 0)
    } catch (error) {
      text = String(error)
    }
    const doneMs = performance.now()
    seen.push({ broker, model, horizon, isNew, sentMs, doneMs, status, version, text })
  }
  const loop = openLoop(perSecond, one)
  return {
    seen,
    async stop() {
      await loop.stop()
      await Promise.all(pools.map((pool) => pool.close()))
      return seen
    },
  }
}

/** Everything that was not a 200, in few words. */
export function failures(seen: readonly Seen[]): string[] {
  return seen
    .filter(({ status }) => status !== 200)
    .map(({ status, model, text }) => `${status} ${model} ${text.slice(0, 200)}`)
}

/**
 * Answers whose version is lower than one that the same broker had already given before the
 * request was sent. `mayGoBack` lists for which models and from when on one step back is allowed:
 * until a broker first answers with the version that was rolled back to.
 */
export function stepsBack(
  seen: readonly Seen[],
  rollbacks: readonly { model: string; fromMs: number; to: number }[] = [],
): string[] {
  const steps: string[] = []
  for (const group of groups(seen)) {
    const byEnd = group.toSorted((a, b) => a.doneMs - b.doneMs)
    const bySend = group.toSorted((a, b) => a.sentMs - b.sentMs)
    let [highest, next, sinceMs] = [0, 0, 0]
    const pending = rollbacks.filter(({ model }) => model === group[0]?.model)
    for (const request of bySend) {
      for (; next < byEnd.length; next++) {
        const answer = byEnd[next] as Seen
        if (answer.doneMs >= request.sentMs) break
        const [rollback] = pending
        if (rollback && answer.doneMs >= rollback.fromMs && answer.version === rollback.to) {
          pending.shift()
          highest = rollback.to
          // What was sent before may still answer with the version before: it proves nothing.
          sinceMs = answer.doneMs
        } else if (answer.sentMs >= sinceMs) highest = Math.max(highest, answer.version)
      }
      const excused = pending[0] && request.doneMs >= pending[0].fromMs
      if (request.version < highest && !excused)
        steps.push(`${request.model}: ${highest} then ${request.version}, broker ${request.broker}`)
    }
  }
  return steps
}

function groups(seen: readonly Seen[]): Seen[][] {
  const answered = seen.filter(({ status }) => status === 200)
  return Object.values(Object.groupBy(answered, (s) => `${s.broker} ${s.model}`)) as Seen[][]
}
