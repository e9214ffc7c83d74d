/**
 * Short monthly series, a million of them: how many a second are fitted by two nodes, next to
 * statsforecast's Theta models on some of the same ones, and served within a tenth of their memory.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { processVitals } from '../../chaos/soak/vitals.ts'
import { openPeerProcess } from '../engine/peer-process.ts'
import { preparePeers } from '../engine/python.ts'
import { askOneByOne, streamAll } from './asking.ts'
import { fitTable } from './course.ts'
import { watchMemory } from './memory.ts'
import { monthlyRows, monthlySeries } from './monthly.ts'
import { openSite, type Site } from './site.ts'
import { upload } from './upload.ts'

const { values } = parseArgs({
  options: {
    series: { type: 'string', default: '1000000' },
    spec: { type: 'string', default: '{"family":"theta"}' },
    peers: { type: 'string', default: '400' },
    'shard-memory-mb': { type: 'string', default: '40' },
  },
})
const count = Number(values.series)
const say = (line: string) => process.stdout.write(`${line}\n`)
const nodeEnv = {
  ALMANAC_SHARD_MEMORY_MB: values['shard-memory-mb'],
  NODE_OPTIONS: '--max-old-space-size=512',
}

const site = await openSite({ nodes: 2, nodeEnv, say })
try {
  await run(site)
} finally {
  await site.close()
}
if (Number(values.peers) > 0) await comparePeers(Number(values.peers))

async function run({ url, processes, folder }: Site): Promise<void> {
  const memory = watchMemory(processes)
  const file = join(folder, 'monthly.csv')
  const out = createWriteStream(file)
  for (const piece of monthlyRows(count)) if (!out.write(piece)) await once(out, 'drain')
  out.end()
  await once(out, 'close')
  const sent = await upload(url, 'monthly.csv', file)
  say(`uploaded: ${sent.megabytes.toFixed(0)} MB in ${sent.seconds.toFixed(1)} s`)
  const nodes = processes.filter(({ name }) => name.startsWith('node'))
  const cpuSeconds = async () => {
    const all = await Promise.all(nodes.map(({ pid }) => processVitals(pid!)))
    return all.reduce((sum, { cpuMs }) => sum + cpuMs / 1_000, 0)
  }
  const before = await cpuSeconds()
  const times = await fitTable({
    ...{ url, model: 'monthly', file: 'monthly.csv', spec: JSON.parse(values.spec), say },
    recipe: {
      source: { format: 'csv' },
      time: { column: 'month' },
      target: 'value',
      keys: ['id'],
      frequency: 'monthly',
    },
  })
  const spent = (await cpuSeconds()) - before
  const { tableSeconds, fitSeconds, rolloutSeconds, metrics } = times
  say(
    `table to series: ${tableSeconds.toFixed(1)} s, ${((60 * count) / tableSeconds).toFixed(0)} rows/s`,
  )
  say(
    `fitted: ${fitSeconds.toFixed(1)} s, ${(count / fitSeconds).toFixed(0)} series/s on two cores`,
  )
  say(
    `CPU of both nodes, with the storing of the table: ${(count / spent).toFixed(0)} series a second`,
  )
  say(`serving after: ${rolloutSeconds.toFixed(2)} s`)
  say(`metrics: ${JSON.stringify(metrics)}`)
  say(
    `models: ${(Number(metrics.modelBytes) / 1_048_576).toFixed(0)} MB; each node may hold ${values['shard-memory-mb']} MB of them`,
  )
  const streamed = await streamAll(url, 'monthly', 12)
  say(`all of them streamed, 12 steps: ${streamed.keys.length} in ${streamed.seconds.toFixed(1)} s`)
  const asked = await askOneByOne(url, 'monthly', streamed.keys, 2_000)
  say(
    `one by one, by chance, ms: p50 ${asked.p50Ms.toFixed(1)}, p99 ${asked.p99Ms.toFixed(1)}, ` +
      `worst ${asked.worstMs.toFixed(0)}`,
  )
  say(`most memory, MB: ${JSON.stringify(memory.peaksMb())}`)
  memory.stop()
  if (streamed.keys.length !== count) throw new Error(`${streamed.keys.length} were streamed`)
}

async function comparePeers(some: number): Promise<void> {
  const python = await preparePeers({ withSeries: false })
  const peer = openPeerProcess(python)
  const series = Array.from({ length: some }, (_, i) => [...monthlySeries(i)])
  for (const model of ['AutoTheta', 'OptimizedTheta', 'Theta']) {
    const ask = (of: readonly (readonly number[])[]) =>
      peer.ask({ model, season: 12, horizon: 12, series: of })
    // What it compiles is compiled then.
    await ask(series.slice(0, 5))
    const { cpuSeconds } = await ask(series)
    say(`statsforecast ${model}: ${(some / cpuSeconds).toFixed(0)} series a CPU second`)
  }
  await peer.close()
}
