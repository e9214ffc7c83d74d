import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Measured, measure } from './measure.ts'
import { report, summaryOf } from './router/report.ts'
import { startFronts } from './router/start.ts'

/**
 * What the broker costs beside nginx and the least that Node can do: requests per second for a
 * forecast of 500 numbers, from memory and forwarded to a node. Each front has one core to itself
 * while it is measured; what is behind it and the load generator share the other.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '2' },
    out: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const cores = { front: '0', other: '1' }
/** The compilers of V8 are at work for several seconds. */
const warmUpSeconds = 6

const folder = await mkdtemp(join(tmpdir(), 'almanac-bench-'))
const opened: (() => Promise<void>)[] = []
try {
  await main()
} finally {
  for (const close of opened.reverse()) await close()
  await rm(folder, { recursive: true, force: true })
}

async function main(): Promise<void> {
  const { fronts, bytes } = await startFronts(folder, cores, opened)
  // Compiled code is what runs all day: the first seconds are not measured.
  for (const { url, pid } of fronts)
    await measure({ url, pid, core: cores.other, seconds: warmUpSeconds })
  const results = fronts.map(({ name }) => ({ name, runs: [] as Measured[] }))
  for (let round = 0; round < rounds; round++) {
    // There and back: a machine that grows slower or faster favours nobody.
    const order = [...fronts.entries()]
    if (round % 2 === 1) order.reverse()
    for (const [i, { name, url, pid }] of order) {
      const measured = await measure({ url, pid, core: cores.other, seconds })
      if (measured.bytes < bytes) throw new Error(`${name}: short answers`)
      results[i]?.runs.push(measured)
    }
  }
  const summary = summaryOf(results, { rounds, seconds, connections: 32, bytes, cores })
  report(summary)
  if (values.out) await writeFile(values.out, `${JSON.stringify(summary, null, 2)}\n`)
}
