import { seededRandom } from '@almanac/shared'
import type { Blow, Step } from './blows.ts'
import { type RunResult, runPlan } from './run.ts'
import type { Plan, Request } from './schedule/plan.ts'

/** By then everybody has registered: what follows is about the fits. */
const fromMs = 900
const untilMs = 9_000
/** Longer than a lease, so that whoever wakes up is late with all that it was about to do. */
const stallMs = 12_500

/**
 * A life without faults: two fits are published and promoted, a rollback goes back to the first, a
 * release and a third fit go forward; a fit of a table is one of two shards, and is judged; another
 * is cancelled and begun again; a regression is fitted. Forecasts are asked for all the time.
 */
function quietLife(seed: number): Plan {
  const requests: Request[] = []
  const addFit = (atMs: number, broker: string, value: number) => {
    const own = { atMs, broker, value, key: `key-${value}` }
    requests.push({ kind: 'fit', model: 'a', ms: 60, end: 'fitted', ...own })
  }
  addFit(1_000, 'broker-0', 11)
  addFit(2_500, 'broker-1', 12)
  requests.push({ kind: 'rollback', atMs: 4_500, broker: 'broker-0', model: 'a' })
  requests.push({ kind: 'release', atMs: 6_000, broker: 'broker-1', model: 'a' })
  addFit(6_500, 'broker-0', 13)
  const table = { model: 'table', broker: 'broker-0' } as const
  const fit = { kind: 'fit', end: 'fitted', table: 'series', shards: 1 } as const
  const first = { ...fit, ...table, shards: 2, value: 201, ms: 60 } as const
  const rows = { ...fit, model: 'rows', table: 'rows', value: 231, ms: 60 } as const
  requests.push({ ...first, atMs: 3_300, key: 'key-201' })
  requests.push({ ...table, kind: 'backtest', atMs: 5_200, mode: 'update' })
  requests.push({ ...rows, atMs: 5_600, broker: 'broker-1', key: 'key-231' })
  requests.push({ ...fit, ...table, atMs: 7_000, value: 202, ms: 900, key: 'key-202' })
  requests.push({ ...table, kind: 'cancel', atMs: 7_500, value: 202 })
  requests.push({ ...table, kind: 'retry', atMs: 7_900, value: 202 })
  for (let atMs = 1_300; atMs < untilMs; atMs += 130) {
    const broker = `broker-${(atMs / 10) % 2}`
    const horizon = 1 + ((atMs / 10) % 9)
    const ask = { atMs, broker, model: 'a', horizon }
    requests.push({ kind: 'forecast', ...ask, version: 'serving', patienceMs: null })
  }
  requests.sort((a, b) => a.atMs - b.atMs)
  return { seed, brokers: 2, nodes: 3, safetyMs: untilMs, requests, faults: [] }
}

/** Every call that is made in such a life, in order. */
export function stepsOf(seed: number): readonly Step[] {
  const steps: Step[] = []
  const { violations } = runPlan(quietLife(seed), {
    steps: (cluster) => ({
      fateOf: (process, what) => {
        const { nowMs } = cluster.around.world
        const text = typeof what === 'string' ? what : what()
        if (nowMs >= fromMs && nowMs < untilMs)
          steps.push({ number: steps.length, who: process.name, what: text })
        return 'goes on'
      },
      die: () => {},
      stall: () => {},
    }),
  })
  if (violations.length > 0) throw new Error(`a life without faults fails: ${violations[0]}`)
  return steps
}

/** The same life, in which one process is struck at one of its calls. */
export function strike(
  seed: number,
  step: Pick<Step, 'number'>,
  blow: Blow,
  trace?: (line: string) => void,
): RunResult {
  const random = seededRandom(seed ^ step.number)
  let number = 0
  const life = quietLife(seed)
  // Who stalls is awake again before the faults are over.
  const safetyMs = life.safetyMs + (blow === 'stalls' ? stallMs : 0)
  return runPlan(
    { ...life, safetyMs },
    {
      ...(trace ? { trace } : {}),
      steps: (cluster) => {
        const { world } = cluster.around
        return {
          fateOf: () => {
            if (world.nowMs < fromMs || world.nowMs >= untilMs) return 'goes on'
            number += 1
            return number - 1 === step.number ? blow : 'goes on'
          },
          die: (process) => {
            world.trace(() => `${process.name} ${blow}`)
            cluster.end(process)
            const downMs = 100 + random() * 4_000
            world.after(downMs, undefined, () => cluster.start(process.name))
          },
          stall: (process) => {
            world.trace(() => `${process.name} ${blow}`)
            world.pause(process)
            world.after(stallMs, undefined, () => world.resume(process))
          },
        }
      },
    },
  )
}
