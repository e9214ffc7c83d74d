import { MessageReader, tableFromIPC } from 'apache-arrow'
import { expect, test } from 'vitest'
import { openLoopback, untilLoaded } from '../../../e2e/support/loopback.ts'
import { seedManySeries, seriesKey } from '../../../e2e/support/many-series.ts'

const arrow = 'application/vnd.apache.arrow.stream'

async function serving(count: number, options: Parameters<typeof seedManySeries>[1] = {}) {
  const machine = await openLoopback()
  const many = await seedManySeries(machine, options)
  const shardMemoryBytes = Math.ceil(many.sizeBytes / 2)
  const nodes = []
  for (let i = 0; i < count; i++) nodes.push(await machine.node({ shardMemoryBytes }))
  const broker = await machine.broker()
  await untilLoaded(broker, 'sales', count)
  const ask = (rest: string, accept = arrow) =>
    fetch(`${broker.url}/api/models/sales/forecasts/${rest}`, { headers: { accept } })
  return { many, nodes, ask }
}

const tableOf = async (response: Response) =>
  tableFromIPC(new Uint8Array(await response.arrayBuffer()))

test('a reader of Arrow finds in the parts of several nodes what lines say', async () => {
  const { many, ask } = await serving(3, { shards: 6, products: 19 })
  const query = '5?level=80,95&timestamps=true'
  const response = await ask(query)
  expect([response.status, response.headers.get('content-type')]).toEqual([200, arrow])
  expect(response.headers.get('x-model-version')).toBe('1')
  const table = await tableOf(response)
  expect(table.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'series Utf8',
    'step Int32',
    'timestamp Timestamp<MILLISECOND, UTC>',
    ...['forecast', 'lower_80', 'upper_80', 'lower_95', 'upper_95'].map((n) => `${n} Float64`),
    'error Utf8',
  ])
  expect(table.batches.length).toBeGreaterThanOrEqual(6)
  const lines = (await (await ask(query, 'application/x-ndjson')).text()).trimEnd().split('\n')
  const empty = { step: null, timestamp: null, forecast: null }
  const noBands = { lower_80: null, upper_80: null, lower_95: null, upper_95: null }
  const wanted = lines.flatMap((text) => {
    const { series, data, intervals, timestamps, error } = JSON.parse(text)
    if (!data) return [{ series, ...empty, ...noBands, error: error.code }]
    return data.map((forecast: number, i: number) => ({
      ...{ series, step: i + 1, timestamp: Date.parse(timestamps[i]), forecast },
      ...{ lower_80: intervals[0].lower[i], upper_80: intervals[0].upper[i] },
      ...{ lower_95: intervals[1].lower[i], upper_95: intervals[1].upper[i], error: null },
    }))
  })
  expect(table.toArray().map((row) => row.toJSON())).toEqual(wanted)
  expect(wanted.filter(({ error }: { error: string | null }) => error !== null)).not.toEqual([])
  expect(new Set(wanted.map(({ series }: { series: string }) => series)).size).toBe(
    many.keys.length,
  )
})

test('a stream that is longer than one answer of a node has one schema', async () => {
  const { many, ask } = await serving(2, { shards: 2, products: 30 })
  const bytes = new Uint8Array(await (await ask('8000')).arrayBuffer())
  // This library's reader takes a schema in the middle; others do not.
  const schemas = []
  const messages = new MessageReader(bytes)
  for (const message of messages) {
    if (message.isSchema()) schemas.push(message)
    else messages.readMessageBody(message.bodyLength)
  }
  expect(schemas).toHaveLength(1)
  expect([...bytes.slice(-8)]).toEqual([255, 255, 255, 255, 0, 0, 0, 0])
  const table = tableFromIPC(bytes)
  expect(table.batches.length).toBeGreaterThan(4)
  expect(table.numRows).toBeGreaterThan(8_000 * 40)
  const last = many.keys.at(-1)!
  const found = table.getChild('forecast')!.slice(-8_000).toArray()
  expect([...found]).toEqual(many.forecastOf(last, 8_000))
})

test('what has no series is a stream of no rows, with its columns', async () => {
  const { many, ask } = await serving(1, { shards: 3 })
  const after = encodeURIComponent(many.keys.at(-1)!)
  for (const query of ['prefix=nothing', 'prefix=zz', `after=${after}`, `prefix=s&after=zz`]) {
    const table = await tableOf(await ask(`2?${query}`))
    expect([table.numRows, table.schema.names]).toEqual([
      0,
      ['series', 'step', 'forecast', 'error'],
    ])
  }
  const limited = await tableOf(await ask(`2?prefix=store%3D01&limit=3`))
  const series = [0, 1, 2].flatMap((i) => [seriesKey(1, i), seriesKey(1, i)])
  expect([...limited.getChild('series')!]).toEqual(series)
})

test('what goes wrong before the first row is told, also in Arrow', async () => {
  const { ask, nodes } = await serving(1, { shards: 2 })
  expect((await ask('0')).status).toBe(400)
  expect((await ask('2', `${arrow};q=0.5, text/csv`)).headers.get('content-type')).toContain('csv')
  expect((await ask('2', `${arrow}, text/csv;q=0.5`)).headers.get('content-type')).toBe(arrow)
  expect((await ask('2', 'application/vnd.apache.parquet')).status).toBe(406)
  expect(nodes).toHaveLength(1)
})
