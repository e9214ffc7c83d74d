import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openLoopback, until, untilLoaded } from '../support/loopback.ts'
import { type ManySeries, seedManySeries, seriesKey } from '../support/many-series.ts'

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

test('all series are streamed in the order of their keys', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine)
  const shardMemoryBytes = Math.ceil(many.sizeBytes / 10)
  for (let i = 0; i < 3; i++) await machine.node({ shardMemoryBytes })
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', 3)
  const response = await streamed(broker.url, '5?level=80&timestamps=true')
  expect(response.headers.get('content-type')).toBe('application/x-ndjson')
  expect(response.headers.get('x-model-version')).toBe('1')
  const lines = linesOf(await response.text())
  expect(lines.map(({ series }) => series)).toEqual(many.keys)
  for (const { series, data, intervals, timestamps, error } of lines) {
    const wanted = many.forecastOf(series, 5)
    if (!wanted) expect(error).toEqual({ code: expect.any(String), detail: expect.any(String) })
    else expect([data, intervals?.length, timestamps?.length]).toEqual([wanted, 1, 5])
  }
})

test('a stream has what begins with a prefix, comes after a key, and is not too many', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine, { shards: 5 })
  await machine.node()
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', 1)
  const keysOf = async (query: string) =>
    linesOf(await (await streamed(broker.url, `2?${query}`)).text()).map(({ series }) => series)
  expect(await keysOf('prefix=store%3D03')).toEqual(many.keys.slice(60, 80))
  expect(await keysOf('prefix=store%3D03%2Cproduct%3D01')).toEqual(many.keys.slice(70, 80))
  expect(await keysOf('prefix=store%3D0')).toEqual(many.keys)
  expect(await keysOf('prefix=nothing')).toEqual([])
  expect(await keysOf('prefix=zz')).toEqual([])
  const after = `after=${encodeURIComponent(many.keys[49]!)}`
  expect(await keysOf(after)).toEqual(many.keys.slice(50))
  expect(await keysOf(`${after}&limit=25`)).toEqual(many.keys.slice(50, 75))
  expect(await keysOf(`${after}&prefix=store%3D00`)).toEqual([])
})

test('rows are given to who accepts them, and nothing to who accepts neither', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine, { shards: 2 })
  await machine.node()
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', 1)
  const csv = await streamed(broker.url, '2?level=80,95', 'text/csv')
  const [head, first] = (await csv.text()).split('\n')
  expect(head).toBe('series,step,forecast,lower_80,upper_80,lower_95,upper_95')
  expect(first).toMatch(
    new RegExp(`^"${many.keys[0]}",1,${many.forecastOf(many.keys[0]!, 1)![0]},`),
  )
  expect((await streamed(broker.url, '2', 'application/json')).status).toBe(406)
  expect((await streamed(broker.url, '2', 'text/csv;q=0.1, */*')).headers.get('content-type')).toBe(
    'application/x-ndjson',
  )
  for (const path of ['0', '2?limit=0', '2?at_least=1', `2?prefix=${'x'.repeat(1_025)}`])
    expect((await streamed(broker.url, path)).status).toBe(400)
})

test('a stream outlives the node that it comes from', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine, { shards: 6, products: 30 })
  const nodes = [await machine.node(), await machine.node(), await machine.node()]
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', 3)
  const lines = await slowly(await streamed(broker.url, '8000'), async (count) => {
    if (count === 20) await nodes[0]!.close()
    if (count === 60) await nodes[1]!.close()
  })
  expect(lines.map(({ series }) => series)).toEqual(many.keys)
  for (const { series, data } of lines.filter((_, i) => i % 20 === 0))
    expect(data).toEqual(many.forecastOf(series, 8_000))
})

test('a stream that nobody goes on with is broken off, not short', async () => {
  const machine = await openLoopback()
  await seedManySeries(machine, { shards: 6, products: 30 })
  const node = await machine.node()
  const broker = await machine.broker({ bounds: { streamPatienceMs: 300 } })
  await untilLoaded(broker, 'sales', 1)
  const reading = slowly(await streamed(broker.url, '8000'), async (count) => {
    if (count === 20) await node.close()
  })
  await expect(reading).rejects.toThrow()
})

test('a stream of which a shard is damaged is broken off there', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine, { shards: 3 })
  const { blob } = many.index.shards[1]!
  await machine.store.deleteBlob({ kind: 'model', id: blob }, AbortSignal.timeout(5_000))
  await machine.node()
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', 1)
  await expect(streamed(broker.url, '2').then((response) => response.text())).rejects.toThrow()
  const late = await streamed(broker.url, '2?prefix=store%3D01')
  expect([late.status, ((await late.json()) as { type: string }).type]).toEqual([
    500,
    'urn:almanac:problem:unloadable',
  ])
})

test('a stream stays with its version while another one begins to serve', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine, { shards: 6, products: 30 })
  await machine.node()
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', 1)
  let next: ManySeries | undefined
  const response = await streamed(broker.url, '8000')
  const lines = await slowly(response, async (count) => {
    if (count === 20) next = await seedManySeries(machine, { version: 2, shards: 2 })
  })
  expect(response.headers.get('x-model-version')).toBe('1')
  expect(lines.map(({ series }) => series)).toEqual(many.keys)
  expect(lines.at(-1)!.data).toEqual(many.forecastOf(many.keys.at(-1)!, 8_000))
  await until(
    async () => (await at(broker.url, many.keys[0]!)).headers.get('x-model-version') === '2',
  )
  expect(await (await at(broker.url, many.keys[0]!)).json()).toEqual({
    data: next!.forecastOf(many.keys[0]!, 3),
  })
})

test('a stream waits for its client, ends when he leaves, and there are only so many', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine, { shards: 8, products: 80 })
  const node = await machine.node()
  const broker = await machine.broker({ bounds: { streamsMax: 1 } })
  await untilLoaded(broker, 'sales', 1)
  const left = new AbortController()
  // It is read no further, so that it waits for its client.
  const response = await streamed(broker.url, '8000', '*/*', left.signal)
  const refused = await streamed(broker.url, '2')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await metric(broker.url, 'almanac_forecast_streams')).toBe(1)
  // What the system holds on its way is some MB of 90.
  const asked = await stable(() => metric(node.url, 'almanac_forecasts_total'))
  expect(asked).toBeLessThan(many.keys.length)
  left.abort()
  await response.text().catch(() => {})
  await until(async () => (await metric(broker.url, 'almanac_forecast_streams')) === 0)
  expect((await streamed(broker.url, '2')).status).toBe(200)
})

/** Version 1, which no node has loaded, and version 2, which serves. */
async function overtaken() {
  const machine = await openLoopback()
  const former = await seedManySeries(machine, { shards: 3 })
  await seedManySeries(machine, { shards: 2, version: 2 })
  for (let i = 0; i < 2; i++) await machine.node()
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', 2)
  return { former, broker }
}

test('a series of a version that does not serve is read for who asks for it', async () => {
  const { former, broker } = await overtaken()
  const [key] = former.keys
  const response = await at(broker.url, key!, '&version=1')
  expect(await response.json()).toEqual({ data: former.forecastOf(key!, 3) })
})

test('a version that does not serve is streamed to who asks for it', async () => {
  const { former, broker } = await overtaken()
  const response = await streamed(broker.url, '3?version=1')
  expect(response.headers.get('x-model-version')).toBe('1')
  expect(linesOf(await response.text()).map(({ series }) => series)).toEqual(former.keys)
  expect((await streamed(broker.url, '3?version=3')).status).toBe(404)
})

test('the series of a version are listed by page and by result', async () => {
  const machine = await openLoopback()
  const many = await seedManySeries(machine, { shards: 6, products: 30 })
  await machine.node()
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', 1)
  type Page = { series: { key: string; code: string; mase?: number | null }[]; next: string | null }
  const listed = async (query: string) => {
    const found: Page['series'] = []
    for (let cursor: string | null = '', pages = 1; ; pages++) {
      const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const path = `/api/models/sales/versions/1/series?${query}${more}`
      const page = (await (await fetch(`${broker.url}${path}`)).json()) as Page
      found.push(...page.series)
      cursor = page.next
      if (cursor === null) return { found, pages }
    }
  }
  const all = await listed('')
  expect(all.found.map(({ key }) => key)).toEqual(many.keys)
  expect(all.pages).toBe(2)
  expect(all.found[0]).toEqual({
    ...{ key: many.keys[0], family: 'arima', code: 'ok', detail: '', steps: 120, observed: 120 },
    ...{ mase: expect.closeTo(0.994, 3), liveMae: null, liveMase: null },
  })
  const { code } = all.found[16]!
  expect(all.found[16]!.mase).toBeNull()
  const bare = await listed(`code=${code}&limit=3`)
  expect(bare.found).toEqual(all.found.filter((entry) => entry.code === code))
  const status = async (path: string) => (await fetch(`${broker.url}/api/models/${path}`)).status
  expect(await status('sales/versions/1/series?limit=101')).toBe(400)
  expect(await status('sales/versions/9/series')).toBe(404)
  expect(await status('nobody/versions/1/series')).toBe(404)
})

test('what was foreseen of new observations is told of each series and of all of them', async () => {
  const machine = await openLoopback()
  for (let i = 0; i < 2; i++) await machine.node({ roles: ['fit', 'serve'] })
  const broker = await machine.broker()
  const at = `${broker.url}/api/models/live`
  const send = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const request = { method: 'POST', headers, body: JSON.stringify(body) }
    expect((await fetch(`${at}/${path}`, request)).status).toBe(200)
  }
  const read = async (path: string) => (await fetch(`${at}/versions/${path}`)).json()
  // Two shards of series that change by 1.5 from one observation to the next, and end with 2.
  const keys = Array.from({ length: 2_100 }, (_, i) => `s=${10_000 + i}`)
  const series = keys.map((key) => ({ key, y: [1, 3, 2] }))
  // One that never changed, and one that hardly did.
  const [still, dead] = [3, 4]
  series[still]!.y = [2, 2, 2]
  series[dead]!.y = [1e6, 1e6 + 0.001, 1e6]
  await send('fit', { series, spec: { family: 'baseline', method: 'naive' } })
  expect(await read('1')).toMatchObject({ accuracy: null, metrics: { shards: 2 } })

  const places = [0, 1, 2, 2_097, 2_098, 2_099]
  const news = places.map((at, i) => ({ key: keys[at], y: [2 + 1.5 * (i + 1)] }))
  await send('observations', { series: news })
  const own = { version: 2, observations: 6, mase: 3.5 }
  expect(await read('2')).toMatchObject({
    accuracy: { scale: 1, updates: [own] },
    metrics: { liveMase: 3.5, liveObservations: 6 },
  })
  type Listed = { series: { liveMase: number; liveMae: number }[] }
  const listed = async (version: number) =>
    ((await read(`${version}/series?limit=4`)) as Listed).series
  expect((await listed(2)).map(({ liveMase }) => liveMase)).toEqual([1, 2, 3, null])
  expect((await listed(1)).map(({ liveMase }) => liveMase)).toEqual([null, null, null, null])

  // From 6.5 on: an error of 3; the series of before keep what was said of them.
  await send('observations', { series: [{ key: keys[2], y: [9.5] }] })
  const next = { version: 3, observations: 1, mase: 2 }
  expect(await read('3')).toMatchObject({ accuracy: { updates: [next, own] } })
  expect((await listed(3)).map(({ liveMase }) => liveMase)).toEqual([1, 2, 2, null])

  // Both jump: the first by no scale, the other by a million and more times its scale.
  const jumps = [still, dead].map((place) => ({ key: keys[place], y: [2e6] }))
  await send('observations', { series: [...jumps, { key: keys[0], y: [5] }] })
  expect(await read('4')).toMatchObject({ metrics: { liveMase: 5.5, liveObservations: 2 } })
  const [first, , , never] = await listed(4)
  expect([first?.liveMase, first?.liveMae]).toEqual([1, 1.5])
  expect([never?.liveMase, never?.liveMae]).toEqual([null, 2e6 - 2])
})

/** A number when it has stayed the same for a second. */
async function stable(look: () => Promise<number>): Promise<number> {
  for (let before = Number.NaN; ; ) {
    const now = await look()
    if (now === before) return now
    before = now
    await pause(1_000)
  }
}

type Line = {
  series: string
  data?: number[]
  intervals?: object[]
  timestamps?: string[]
  error?: object
}

const streamed = (url: string, rest: string, accept = '*/*', signal?: AbortSignal) =>
  fetch(`${url}/api/models/sales/forecasts/${rest}`, {
    headers: { accept },
    ...(signal ? { signal } : {}),
  })

const linesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)

/** Takes a stream so slowly that it has to wait, and tells how many lines have come. */
async function slowly(
  response: Response,
  onLine: (count: number) => Promise<void>,
): Promise<readonly Line[]> {
  const lines: Line[] = []
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body!) {
    const texts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = texts.pop() ?? ''
    for (const text of texts) {
      lines.push(JSON.parse(text) as Line)
      await onLine(lines.length)
    }
    await pause(1)
  }
  expect(rest).toBe('')
  return lines
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name}\\S* (\\S+)$`, 'm').exec(text)?.[1])
}
