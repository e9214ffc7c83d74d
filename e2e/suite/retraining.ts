import { describe, expect, test } from 'vitest'
import { call, eventually } from '../support/client.ts'
import type { TestCluster } from '../support/cluster.ts'
import { smallSeries, smallSpec } from '../support/data.ts'

const fitted = 120
const rule = { liveMase: 5, observations: 20, restSeconds: 0 }

/** Models that are fitted again by themselves, when what comes is not what was foreseen. */
export function retrainingSuite(cluster: () => TestCluster): void {
  const api = () => `${cluster().brokers[0]}/api`
  const path = (model: string) => `${api()}/models/${model}`
  const stateOf = (model: string) => call('GET', `${path(model)}/retraining`)

  const opened = async (model: string) => {
    const body = { data: smallSeries(100, fitted), spec: smallSpec }
    const fit = await call('POST', `${path(model)}/fit`, { body })
    expect(fit.status, fit.text).toBe(200)
    const put = await call('PUT', `${path(model)}/retraining`, { body: rule })
    expect(put.status, put.text).toBe(201)
  }
  const add = async (model: string, data: readonly number[]) => {
    const answer = await call('POST', `${path(model)}/observations`, { body: { data } })
    expect(answer.status, answer.text).toBe(200)
  }
  const versionsOf = async (model: string) => {
    const { body } = await call('GET', `${path(model)}/versions`)
    return [...(body.versions as unknown as { version: number; base: number | null }[])].reverse()
  }
  const untilServing = (model: string, version: number) =>
    eventually(
      `version ${version} of ${model} serves`,
      () => call('GET', path(model)),
      ({ body }) => Number(body.serving) === version,
      60_000,
    )
  const begun = async () => {
    let sum = 0
    for (const broker of cluster().brokers)
      for (const line of (await call('GET', `${broker}/metrics`)).text.split('\n'))
        if (line.startsWith('almanac_retrainings_total{') && line.includes('outcome="begun"'))
          sum += Number(line.split(' ').at(-1))
    return sum
  }

  describe('retraining', () => {
    test('one broker begins one fit when what comes is not what was foreseen', async () => {
      const before = await begun()
      await opened('decaying')
      const usual = smallSeries(100, fitted + 20).slice(fitted)
      await add('decaying', usual.slice(0, 10))
      expect((await stateOf('decaying')).body).toMatchObject({ state: 'too-few' })
      await add('decaying', usual.slice(10))
      expect((await stateOf('decaying')).body).toMatchObject({ state: 'below', runs: [] })
      const shifted = smallSeries(200, fitted + 40).slice(fitted + 20)
      await add('decaying', shifted)
      await untilServing('decaying', 5)
      const { body } = await stateOf('decaying')
      expect(body).toMatchObject({ state: 'too-few', window: { observations: 0 } })
      expect(body.runs).toHaveLength(1)
      expect(body.runs?.[0]).toMatchObject({ outcome: 'begun', judged: 4, version: 5 })
      const made = await call('GET', `${path('decaying')}/versions/5`)
      expect(made.body).toMatchObject({ base: null, observations: fitted + 40, state: 'serving' })
      const why =
        /^Live accuracy of decaying was \S+ over the last 20 observations; the limit is 5.$/
      expect(made.body.why).toMatch(why)
      expect((await versionsOf('decaying')).map(({ base }) => base)).toEqual([null, 1, 2, 3, null])
      expect((await begun()) - before).toBe(1)
    }, 120_000)

    test('many series are fitted again, all together, when some are not what was foreseen', async () => {
      const keys = ['a', 'b', 'c']
      const of = (level: number) => keys.map((key, i) => ({ key, level: level + 10 * i }))
      const series = of(100).map(({ key, level }) => ({ key, y: smallSeries(level, fitted) }))
      const body = { series, spec: { family: 'theta' } }
      const fit = await call('POST', `${path('many-decaying')}/fit`, { body })
      expect(fit.status, fit.text).toBe(200)
      const put = await call('PUT', `${path('many-decaying')}/retraining`, { body: rule })
      expect(put.status, put.text).toBe(201)
      const shifted = of(200)
        .slice(1)
        .map(({ key, level }) => ({
          ...{ key, y: smallSeries(level, fitted + 10).slice(fitted) },
        }))
      const added = await call('POST', `${path('many-decaying')}/observations`, {
        body: { series: shifted },
      })
      expect(added.status, added.text).toBe(200)
      await untilServing('many-decaying', 3)
      const { body: state } = await stateOf('many-decaying')
      expect(state).toMatchObject({ state: 'too-few', window: { observations: 0 } })
      expect(state.runs).toHaveLength(1)
      expect(state.runs?.[0]).toMatchObject({ judged: 2, observations: 20, version: 3 })
      const made = await call('GET', `${path('many-decaying')}/versions/3`)
      expect(made.body).toMatchObject({ base: null, series: 3, observations: 3 * fitted + 20 })
    }, 120_000)

    test.each([
      ['before it is begun', 'early', 0],
      ['when it is begun', 'late', 1],
    ])(
      'that everything dies %s makes it one all the same',
      async (_when, model, runs) => {
        await opened(model)
        await add(model, smallSeries(200, fitted + 20).slice(fitted))
        await eventually(
          'it is as far as that',
          () => stateOf(model),
          ({ body }) => Number(body.runs?.length) >= runs,
        )
        await crash(cluster())
        await untilServing(model, 3)
        expect((await versionsOf(model)).map(({ base }) => base)).toEqual([null, 1, null])
        const { body } = await stateOf(model)
        expect(body.runs).toHaveLength(1)
        expect(body).toMatchObject({ state: 'too-few' })
      },
      120_000,
    )
  })
}

/** All brokers; where they are no processes of their own, everything. */
async function crash(cluster: TestCluster): Promise<void> {
  const { brokerProcesses } = cluster
  if (brokerProcesses === undefined) return await cluster.restartAll()
  await Promise.all(brokerProcesses.map((broker) => broker.kill()))
  await Promise.all(brokerProcesses.map((broker) => broker.start()))
}
