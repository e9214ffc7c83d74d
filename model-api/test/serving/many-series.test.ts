import { headers as names, nextOf, type Store, Unavailable } from '@almanac/shared'
import { expect, test } from 'vitest'
import { type ManySeries, seedManySeries, seriesKey } from '../../../e2e/support/many-series.ts'
import type { RunningNode } from '../../src/index.ts'
import {
  internalHeaders,
  type Machine,
  openMachine,
  openNode,
  until,
  untilReady,
} from '../support/machine.ts'

test('each of many series has its own forecast, whatever fits in memory', async () => {
  const machine = await openMachine()
  const many = await seedManySeries(machine)
  const node = await serving(machine, { shardMemoryBytes: Math.ceil(many.sizeBytes / 10) })
  // Back and forth, so that shards have to go and come again.
  for (const key of [...many.keys, ...many.keys.toReversed()]) {
    const { status, body } = await ask(machine, node, many, `3?series=${encodeURIComponent(key)}`)
    const wanted = many.forecastOf(key, 3)
    expect(status).toBe(wanted ? 200 : 422)
    if (wanted) expect(JSON.parse(body)).toEqual({ data: wanted })
    else expect(JSON.parse(body)).toMatchObject({ type: expect.stringContaining('problem:') })
  }
  const kept = await metric(node, 'almanac_shard_bytes')
  expect(kept).toBeGreaterThan(0)
  expect(kept).toBeLessThanOrEqual(many.sizeBytes / 10)
})

test('a series has intervals, notes and the times of its own calendar', async () => {
  const machine = await openMachine()
  const many = await seedManySeries(machine, { shards: 1 })
  const node = await serving(machine)
  const query = `2?series=${encodeURIComponent(many.keys[0]!)}&level=80,95&timestamps=true`
  const { headers, body } = await ask(machine, node, many, query)
  expect(headers.get(names.modelVersion)).toBe('1')
  expect(JSON.parse(body)).toMatchObject({
    intervals: [{ level: 80 }, { level: 95 }],
    timestamps: ['2026-05-01T00:00:00.000Z', '2026-05-02T00:00:00.000Z'],
  })
})

test('what cannot be answered is refused with what to do', async () => {
  const machine = await openMachine()
  const many = await seedManySeries(machine, { shards: 2 })
  const node = await serving(machine)
  const refused = async (query: string) => {
    const { status, body } = await ask(machine, node, many, query)
    return [status, JSON.parse(body).type.split(':').at(-1), JSON.parse(body).remedy] as const
  }
  expect(await refused('3')).toEqual([422, 'series-missing', expect.any(String)])
  expect(await refused('3?series=store%3D01')).toEqual([404, 'no-such-series', expect.any(String)])
  expect(await refused(`3?series=${'x'.repeat(1_025)}`)).toEqual([400, 'invalid', undefined])
  const bare = await ask(machine, node, many, `3?series=${encodeURIComponent(seriesKey(0, 16))}`)
  expect(bare.status).toBe(422)
  expect(JSON.parse(bare.body)).toMatchObject({ detail: expect.stringMatching(/\w/) })
})

test('a shard is read once for all who ask at the same time', async () => {
  const machine = await openMachine()
  const many = await seedManySeries(machine, { shards: 3 })
  const reads: string[] = []
  const readBlob: Store['readBlob'] = (ref, signal) => {
    reads.push(ref.id)
    return machine.store.readBlob(ref, signal)
  }
  const node = await serving({ ...machine, store: over(machine.store, readBlob) })
  await Promise.all(
    many.keys.map((key) => ask(machine, node, many, `3?series=${encodeURIComponent(key)}`)),
  )
  const blobs = many.index.shards.map(({ blob }) => blob)
  expect(reads.filter((id) => blobs.includes(id)).sort()).toEqual([...blobs].sort())
})

test('a shard that is missing or damaged costs its own series, and nothing else', async () => {
  const machine = await openMachine()
  const many = await seedManySeries(machine, { shards: 3 })
  const [gone, damaged] = many.index.shards
  const readBlob: Store['readBlob'] = async (ref, signal) => {
    const bytes = await machine.store.readBlob(ref, signal)
    if (ref.id === damaged!.blob) bytes[bytes.length >> 1]! ^= 1
    return bytes
  }
  await machine.store.deleteBlob({ kind: 'model', id: gone!.blob }, AbortSignal.timeout(5_000))
  const node = await serving({ ...machine, store: over(machine.store, readBlob) })
  const statuses = [0, 1, 2].map(async (store) => {
    const query = `3?series=${encodeURIComponent(seriesKey(store, 1))}`
    const { status, body } = await ask(machine, node, many, query)
    return [status, JSON.parse(body).type]
  })
  const unloadable = [500, 'urn:almanac:problem:unloadable']
  expect(await Promise.all(statuses)).toEqual([unloadable, unloadable, [200, undefined]])
  expect((await pages(machine, node, many, 0)).status).toBe(500)
})

test('while the store is away, what is in memory is answered and the rest in time', async () => {
  const machine = await openMachine()
  const many = await seedManySeries(machine, { shards: 2 })
  let isAway = false
  const readBlob: Store['readBlob'] = (ref, signal) => {
    if (!isAway) return machine.store.readBlob(ref, signal)
    if (ref.id === many.index.shards[1]!.blob) throw new Unavailable('store', 'away on purpose')
    return new Promise(() => {})
  }
  const node = await serving({ ...machine, store: over(machine.store, readBlob) })
  const one = (store: number, product: number) =>
    ask(machine, node, many, `3?series=${encodeURIComponent(seriesKey(store, product))}`)
  await one(0, 1)
  isAway = true
  expect((await one(0, 2)).status).toBe(200)
  const { status, headers } = await one(1, 1)
  expect([status, headers.get('retry-after')]).toEqual([503, '1'])
})

test('a shard that is long in coming is a 503, and there when asked again', async () => {
  const machine = await openMachine()
  const many = await seedManySeries(machine, { shards: 1 })
  const ready = Promise.withResolvers<void>()
  const readBlob: Store['readBlob'] = async (ref, signal) => {
    if (ref.id === many.index.shards[0]!.blob) await ready.promise
    return await machine.store.readBlob(ref, signal)
  }
  const node = await serving({ ...machine, store: over(machine.store, readBlob) })
  const query = `3?series=${encodeURIComponent(many.keys[0]!)}`
  expect((await ask(machine, node, many, query)).status).toBe(503)
  ready.resolve()
  await until(async () => (await ask(machine, node, many, query)).status === 200)
})

test('a version whose index is damaged is not registered', async () => {
  const machine = await openMachine()
  const readBlob: Store['readBlob'] = async (ref, signal) => {
    const bytes = await machine.store.readBlob(ref, signal)
    bytes[20]! ^= 1
    return bytes
  }
  const many = await seedManySeries(machine, { shards: 1 })
  const node = await serving({ ...machine, store: over(machine.store, readBlob) })
  expect((await ask(machine, node, many, '3?series=x')).status).toBe(409)
})

test('the series of a shard come in order, as many as one answer holds', async () => {
  const machine = await openMachine()
  const many = await seedManySeries(machine, { shards: 2, products: 40 })
  const node = await serving(machine)
  const horizon = 4_000
  const { lines, answers } = await pages(machine, node, many, 1, horizon)
  expect(lines.map(({ series }) => series)).toEqual(many.keys.slice(40))
  expect(answers).toBeGreaterThan(1)
  for (const { series, data, error } of lines) {
    const wanted = many.forecastOf(series, horizon)
    if (wanted) expect(data).toEqual(wanted)
    else expect(error).toEqual({ code: expect.any(String), detail: expect.any(String) })
  }
})

test('the series of a shard can be asked for by prefix, limit and code', async () => {
  const machine = await openMachine()
  const many = await seedManySeries(machine, { shards: 1, products: 40 })
  const node = await serving(machine)
  const prefix = encodeURIComponent('store=00,product=01')
  const { lines } = await pages(machine, node, many, 0, 3, `prefix=${prefix}`)
  expect(lines.map(({ series }) => series)).toEqual(many.keys.slice(10, 20))
  const listed = async (query: string) =>
    JSON.parse((await fetchInternal(machine, node, `series/default/sales/1/0?${query}`)).body)
  const page = await listed(`limit=3&after=${encodeURIComponent(many.keys[4]!)}`)
  expect(page.next).toBe(many.keys[7])
  expect(page.series).toMatchObject([
    { key: many.keys[5], family: 'arima', code: 'ok', steps: 120, observed: 120 },
    { key: many.keys[6] },
    { key: many.keys[7] },
  ])
  const { series } = await listed('code=ok')
  expect(series).toHaveLength(38)
})

test('rows say the same as lines', async () => {
  const machine = await openMachine()
  const many = await seedManySeries(machine, { shards: 1, products: 18 })
  const node = await serving(machine)
  const path = 'forecasts/default/sales/1/0/2?format=csv&level=80,95&timestamps=true'
  const { body } = await fetchInternal(machine, node, path)
  const rows = body.trimEnd().split('\n')
  const { lines } = await pages(machine, node, many, 0, 2, 'level=80,95&timestamps=true')
  const wanted = lines.flatMap(({ series, data, intervals, timestamps }) =>
    data
      ? data.map((value, i) => {
          const bands = intervals!.flatMap(({ lower, upper }) => [lower[i], upper[i]])
          return [`"${series}"`, i + 1, timestamps![i], value, ...bands].join(',')
        })
      : [`"${series}"${','.repeat(7)}`],
  )
  expect(rows).toEqual(wanted)
})

test('within a process many series are answered in the same words', async () => {
  const machine = await openMachine()
  const many = await seedManySeries(machine, { shards: 1 })
  const node = await serving(machine)
  const headers = Object.entries(await internalHeaders(machine, node)).flat()
  const series = `series=${encodeURIComponent(many.keys[0]!)}`
  for (const path of [`forecast/default/sales/1/3?${series}`, 'forecasts/default/sales/1/0/3?']) {
    const direct = await node.direct({ method: 'GET', path: `/internal/v1/${path}`, headers })
    const { status, headers: said, body } = await fetchInternal(machine, node, path)
    expect([direct?.status, direct?.body.toString()]).toEqual([status, body])
    for (const name of [names.modelVersion, names.count, names.next])
      expect(direct?.headers[name] ?? null).toBe(said.get(name))
  }
})

type Line = {
  series: string
  data?: number[]
  intervals?: { lower: number[]; upper: number[] }[]
  timestamps?: string[]
  error?: object
}

async function serving(
  machine: Machine,
  options: Parameters<typeof openNode>[1] = {},
): Promise<RunningNode> {
  const node = await openNode(machine, { roles: ['serve'], ...options })
  await untilReady(node)
  return node
}

/** All answers of a shard, one after the other. */
async function pages(
  machine: Machine,
  node: RunningNode,
  { tenant, model, version }: ManySeries,
  shard: number,
  horizon = 3,
  query = '',
) {
  const lines: Line[] = []
  let after: string | null = null
  for (let answers = 1; ; answers++) {
    const more: string = after === null ? '' : `&after=${encodeURIComponent(after)}`
    const path = `forecasts/${tenant}/${model}/${version}/${shard}/${horizon}?${query}${more}`
    const { status, headers, body } = await fetchInternal(machine, node, path)
    if (status !== 200) return { status, lines, answers }
    const found = body.split('\n').filter((line) => line !== '')
    expect(headers.get(names.count)).toBe(String(found.length))
    lines.push(...found.map((line) => JSON.parse(line) as Line))
    const next = nextOf(headers.get(names.next))
    if (next === undefined) throw new Error('the answer does not say how to go on')
    after = next.after
    if (after === null) return { status, lines, answers }
  }
}

const ask = (
  machine: Machine,
  node: RunningNode,
  { tenant, model, version }: ManySeries,
  rest: string,
) => fetchInternal(machine, node, `forecast/${tenant}/${model}/${version}/${rest}`)

async function fetchInternal(machine: Machine, node: RunningNode, path: string) {
  const headers = await internalHeaders(machine, node)
  const response = await fetch(`${node.url}/internal/v1/${path}`, { headers })
  return { status: response.status, headers: response.headers, body: await response.text() }
}

async function metric(node: RunningNode, name: string): Promise<number> {
  const text = await (await fetch(`${node.url}/metrics`)).text()
  return Number(new RegExp(`^${name}\\S* (\\S+)$`, 'm').exec(text)?.[1])
}

/** The same store, read in another way. */
function over(store: Store, readBlob: Store['readBlob']): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'readBlob') return readBlob
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
