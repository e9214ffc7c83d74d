/**
 * Sales of every product in every store, from a CSV in an object store to daily series that are
 * served: the time of each phase, and the most memory that each process had.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { csvOf, makeSalesWorld } from '@almanac/tables'
import { askOneByOne, streamAll } from './asking.ts'
import { fitTable } from './course.ts'
import { watchMemory } from './memory.ts'
import { openSite, type Site } from './site.ts'
import { upload } from './upload.ts'

const { values } = parseArgs({
  options: {
    stores: { type: 'string', default: '50' },
    products: { type: 'string', default: '400' },
    years: { type: 'string', default: '3' },
    nodes: { type: 'string', default: '2' },
    spec: { type: 'string', default: '{"family":"theta"}' },
  },
})
const [stores, products, years] = [values.stores, values.products, values.years].map(Number) as [
  number,
  number,
  number,
]
const say = (line: string) => process.stdout.write(`${line}\n`)

const nodeEnv = { ALMANAC_SHARD_MEMORY_MB: '64', NODE_OPTIONS: '--max-old-space-size=512' }
const site = await openSite({ nodes: Number(values.nodes), nodeEnv, say })
try {
  await run(site)
} finally {
  await site.close()
}

async function run({ url, processes, folder }: Site): Promise<void> {
  const memory = watchMemory(processes)
  const file = join(folder, 'sales.csv')
  const { rows, seconds } = await generate(file)
  say(`generated: ${rows} rows in ${seconds.toFixed(1)} s`)
  const sent = await upload(url, 'sales.csv', file)
  say(
    `uploaded to the object store: ${sent.megabytes.toFixed(0)} MB in ${sent.seconds.toFixed(1)} s`,
  )
  const times = await fitTable({
    ...{ url, model: 'sales', file: 'sales.csv', spec: JSON.parse(values.spec), say },
    recipe: {
      source: { format: 'csv' },
      time: { column: 'date' },
      target: 'quantity',
      keys: ['store_id', 'product_id'],
      frequency: 'daily',
    },
  })
  const { tableSeconds, fitSeconds, rolloutSeconds, series, metrics } = times
  say(`table to series: ${tableSeconds.toFixed(1)} s, ${(rows / tableSeconds).toFixed(0)} rows/s`)
  say(
    `fitted: ${series} series in ${fitSeconds.toFixed(1)} s, ${(series / fitSeconds).toFixed(0)}/s`,
  )
  say(`serving after: ${rolloutSeconds.toFixed(2)} s`)
  say(`metrics: ${JSON.stringify(metrics)}`)
  const streamed = await streamAll(url, 'sales', 28)
  const { length } = streamed.keys
  say(`all of them streamed, 28 steps: ${length} in ${streamed.seconds.toFixed(1)} s`)
  say(`without a forecast: ${streamed.failed}`)
  const asked = await askOneByOne(url, 'sales', streamed.keys, 1_000)
  say(`one by one, ms: p50 ${asked.p50Ms.toFixed(1)}, p99 ${asked.p99Ms.toFixed(1)}`)
  say(`most memory, MB: ${JSON.stringify(memory.peaksMb())}`)
  memory.stop()
  if (length !== series) throw new Error(`${length} of ${series} series were streamed`)
}

async function generate(file: string) {
  const startedMs = performance.now()
  const days = Math.round(365 * years)
  const world = makeSalesWorld({ stores, products, days, firstDay: 19_358, seed: 7 })
  const out = createWriteStream(file)
  let rows = -1
  for (const piece of csvOf(world)) {
    for (const byte of piece) if (byte === 10) rows++
    if (!out.write(piece)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
  return { rows, seconds: (performance.now() - startedMs) / 1_000 }
}
