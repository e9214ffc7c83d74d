import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { call, eventually } from '../support/client.ts'
import type { TestCluster } from '../support/cluster.ts'
import { mean, smallSeries, smallSpec, temperatures } from '../support/data.ts'
import { failures, type Seen, startLoad, stepsBack } from '../support/load.ts'

const perSecond = 500
/** Levels are this far apart, so that the mean of an answer tells which data it was fitted to. */
const levelStep = 100

/** Twenty rollouts under steady load: nobody notices but by the version. */
export function loadSuite(cluster: () => TestCluster): void {
  const api = (broker = 0) => `${cluster().brokers[broker % cluster().brokers.length]}/api`

  describe('rollouts under load', () => {
    test(`${perSecond} forecasts a second see 20 rollouts, a rollback and a re-creation without one failure`, async () => {
      const levels = new Map<string, number>()
      let nextLevel = 1
      const fitNamed = async (model: string, broker: number, data?: readonly number[]) => {
        const level = levelStep * nextLevel++
        const body = data ? { data } : { data: smallSeries(level), spec: smallSpec }
        const answer = await call('POST', `${api(broker)}/models/${model}/fit`, { body })
        expect(answer.status, answer.text).toBe(200)
        levels.set(`${model} ${answer.body.version}`, data ? mean(data) : level)
        return Number(answer.body.version)
      }
      for (const model of ['steady', 'burst', 'reborn']) await fitNamed(model, 0)
      const load = startLoad({
        brokers: cluster().brokers,
        models: ['steady', 'burst', 'reborn'],
        horizons: [1, 7, 30, 100, 500],
        perSecond,
      })
      const watching = watchHolders(api(), ['steady', 'burst'])
      const done = { rollbackFromMs: 0, rolledBackTo: 0, gapFromMs: 0, gapToMs: 0 }
      try {
        for (let i = 0; i < 8; i++) await fitNamed('steady', i)
        for (let i = 0; i < 3; i++) await fitNamed('steady', i, shifted(levelStep * nextLevel))
        await Promise.all([0, 1, 2, 3, 4].map((i) => fitNamed('burst', i)))
        done.rollbackFromMs = performance.now()
        done.rolledBackTo = await rollBack(api(), 'steady')
        await delay(1_000)
        await call('DELETE', `${api()}/models/steady/hold`)
        for (let i = 0; i < 2; i++) await fitNamed('steady', i)
        done.gapFromMs = performance.now()
        const gone = await call('DELETE', `${api()}/models/reborn`)
        expect(gone.status, gone.text).toBeLessThan(300)
        await fitNamed('reborn', 1)
        // The other broker may look at its table a moment later.
        await delay(500)
        done.gapToMs = performance.now()
        await fitNamed('reborn', 0)
        await delay(1_000)
      } finally {
        await load.stop()
        await watching.stop()
      }
      expect(watching.looks).toBeGreaterThan(100)
      expect([...watching.unheld]).toEqual([])
      const { seen } = load
      const sentPerSecond = (1_000 * seen.length) / spanMs(seen)
      const counted = seen.filter((s) => !inGap(s, done))
      expect(failures(counted)).toEqual([])
      expect(gapFailures(seen.filter((s) => inGap(s, done)))).toEqual([])
      const rollbacks = [{ model: 'steady', fromMs: done.rollbackFromMs, to: done.rolledBackTo }]
      expect(stepsBack(seen, rollbacks)).toEqual([])
      expect(misnamed(seen, levels)).toEqual([])
      expect(sentPerSecond).toBeGreaterThan(0.95 * perSecond)
      const versions = new Set(seen.map(({ model, version }) => `${model} ${version}`))
      expect(versions.size).toBeGreaterThan(12)
      await sameAsPinned(seen, api)
    }, 240_000)
  })
}

function shifted(level: number): number[] {
  const offset = level - mean(temperatures)
  return temperatures.map((value) => value + offset)
}

async function rollBack(api: string, model: string): Promise<number> {
  const answer = await call('POST', `${api}/models/${model}/rollback`, { body: {} })
  expect(answer.status, answer.text).toBeLessThan(300)
  const record = await eventually(
    'the rollback serves',
    async () => (await call('GET', `${api}/models/${model}`)).body,
    (body) => Number(body.serving) === Number(body.target) && String(body.hold) === 'true',
  )
  return Number(record.serving)
}

/**
 * Looks again and again at who has what. A version that served before most nodes had it would cost
 * nobody an answer, because requests wait; it would cost them time, and more with a large model.
 */
function watchHolders(api: string, models: readonly string[]) {
  type View = { serving: number; nodes: { loaded: number[] }[] }
  const watching = { looks: 0, unheld: new Set<string>(), stop: async () => {} }
  let stopped = false
  const look = async (model: string) => {
    const { status, body } = await call('GET', `${api}/models/${model}`)
    if (status !== 200) return watching.unheld.add(`${model}: ${status}`)
    const { serving, nodes } = body as unknown as View
    const holders = nodes.filter(({ loaded }) => loaded.includes(serving)).length
    watching.looks += 1
    if (holders * 2 <= nodes.length)
      watching.unheld.add(`${model} ${serving}: ${holders} of ${nodes.length} nodes had it`)
    return watching.unheld
  }
  const run = async () => {
    while (!stopped) {
      for (const model of models) await look(model)
      await delay(20)
    }
  }
  const running = run()
  watching.stop = () => {
    stopped = true
    return running
  }
  return watching
}

function inGap(s: Seen, gap: { gapFromMs: number; gapToMs: number }): boolean {
  return s.model === 'reborn' && s.doneMs >= gap.gapFromMs && s.sentMs <= gap.gapToMs
}

/** Between its deletion and its next fit a model is not there: 404 is the right answer. */
function gapFailures(seen: readonly Seen[]): string[] {
  return failures(seen.filter(({ status }) => status !== 404))
}

function spanMs(seen: readonly Seen[]): number {
  return Math.max(...seen.map((s) => s.doneMs)) - Math.min(...seen.map((s) => s.sentMs))
}

/** Answers whose numbers are not near the level of the data that their version was fitted to. */
function misnamed(seen: readonly Seen[], levels: ReadonlyMap<string, number>): string[] {
  const faults = new Set<string>()
  const checked = new Set<string>()
  for (const { status, model, version, horizon, text } of seen) {
    if (status !== 200 || checked.has(`${model} ${version} ${text}`)) continue
    checked.add(`${model} ${version} ${text}`)
    const level = levels.get(`${model} ${version}`)
    const { data } = JSON.parse(text) as { data: number[] }
    const far = level === undefined || Math.abs(mean(data) - level) > levelStep / 3
    if (far || data.length !== horizon)
      faults.add(`${model} ${version}: ${data.length} numbers near ${mean(data)}, level ${level}`)
  }
  return [...faults]
}

/** Every answer under load was, to the letter, what its version answers when asked by number. */
async function sameAsPinned(seen: readonly Seen[], api: (broker: number) => string): Promise<void> {
  const texts = new Map<string, Set<string>>()
  for (const { status, model, version, horizon, isNew, text } of seen) {
    if (status !== 200 || isNew) continue
    const key = `${model}/forecast/${horizon}?version=${version}`
    texts.set(key, (texts.get(key) ?? new Set()).add(text))
  }
  expect([...texts].filter(([, bodies]) => bodies.size > 1).map(([key]) => key)).toEqual([])
  const newest = [...texts].filter(([key]) => !key.startsWith('reborn')).slice(-40)
  for (const [key, bodies] of newest) {
    const answer = await call('GET', `${api(0)}/models/${key}`)
    expect(answer.status, `${key}: ${answer.text.slice(0, 300)}`).toBe(200)
    expect(bodies.has(answer.text), key).toBe(true)
  }
}
