import { expect, test } from 'vitest'
import { openLoopback, untilLoaded } from '../support/loopback.ts'
import { seedManySeries, seriesKey } from '../support/many-series.ts'

const at = (url: string, key: string, rest = '') =>
  fetch(`${url}/api/models/sales/forecast/3?series=${encodeURIComponent(key)}${rest}`)

test('every series is forecast by nodes that hold a tenth of them', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine)
  const shardMemoryBytes = Math.ceil(many.sizeBytes / 10)
  for (let i = 0; i < 3; i++) await machine.node({ shardMemoryBytes })
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', 3)
  for (const key of many.keys) {
    const response = await at(broker.url, key)
    const wanted = many.forecastOf(key, 3)
    expect(response.status).toBe(wanted ? 200 : 422)
    if (wanted) expect(await response.json()).toEqual({ data: wanted })
  }
})

test('a shard is in the memory of one node only, as long as little is asked of it', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine, { shards: 40, products: 3 })
  const nodes = [await machine.node(), await machine.node(), await machine.node()]
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', 3)
  for (const key of many.keys) await (await at(broker.url, key)).text()
  const loads = await Promise.all(nodes.map(({ url }) => metric(url, 'almanac_shard_loads_total')))
  expect(loads.reduce((sum, count) => sum + count)).toBe(40)
  expect(Math.min(...loads)).toBeGreaterThan(0)
})

test('a forecast of a series is kept, has a name of its own, and is refused with reasons', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine, { shards: 2 })
  await machine.node()
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', 1)
  const [first, other] = many.keys
  const etags = new Set<string | null>()
  for (const key of [first!, first!, other!])
    etags.add((await at(broker.url, key)).headers.get('etag'))
  expect(etags.size).toBe(2)
  expect(await metric(broker.url, 'almanac_cache_hits_total')).toBe(1)
  const problem = async (response: Response) => {
    const { type } = (await response.json()) as { type: string }
    return [response.status, type.split(':').at(-1)]
  }
  expect(await problem(await at(broker.url, 'store=77'))).toEqual([404, 'no-such-series'])
  expect(await problem(await at(broker.url, seriesKey(0, 16)))).toEqual([422, expect.any(String)])
  const without = await fetch(`${broker.url}/api/models/sales/forecast/3`)
  expect(await problem(without)).toEqual([422, 'series-missing'])
  expect(await problem(await at(broker.url, 'x'.repeat(1_025)))).toEqual([400, 'invalid'])
})

test('a broker whose store is away still finds a node that answers', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine, { shards: 2 })
  await machine.node()
  const readBlob = () => new Promise<never>(() => {})
  const broker = await machine.broker({ store: { ...machine.store, readBlob } })
  await untilLoaded(broker, 'sales', 1)
  expect((await at(broker.url, many.keys[0]!)).status).toBe(200)
})

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name}\\S* (\\S+)$`, 'm').exec(text)?.[1])
}
