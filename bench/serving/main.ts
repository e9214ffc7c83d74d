import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sampleFile, startAlmanac } from './almanac/start.ts'
import { installPeers, startPeer } from './peers/start.ts'
import { conditions, type Finding, save, show } from './report.ts'
import { computed } from './rows/computed.ts'
import type { Contestant } from './run.ts'

/**
 * How this project serves beside others that serve the same model: see docs/benchmarks.md.
 *
 *   npm run bench:serving -- [--rows computed,…] [--peers flask,…] [--rounds N] [--out FILE]
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: 'computed' },
    peers: { type: 'string', default: 'flask,mlserver,bentoml,ray' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    out: { type: 'string' },
  },
})
const rows = { computed }
const options = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  serverCore: '0',
  loadCore: '1',
}
const folder = await mkdtemp(join(tmpdir(), 'bench-'))
const opened: (() => Promise<void>)[] = []
const say = (line: string) => process.stdout.write(`${line}\n`)
try {
  const about = conditions({ rounds: options.rounds, secondsPerRun: options.seconds })
  const wanted = values.peers.split(',')
  const { installed, missing } = await installPeers(sampleFile, (name) => wanted.includes(name))
  const contestants: Contestant[] = []
  const absent = [...missing]
  const cores = options.serverCore
  const almanac = await startAlmanac({ folder, cores })
  opened.push(almanac.server.stop)
  for (const kind of ['automatic', 'arima'] as const) {
    contestants.push({
      name: `Almanac, ${kind}, npm start`,
      isPeer: false,
      target: almanac.broker(kind),
    })
    contestants.push({
      name: `Almanac, ${kind}, node`,
      isPeer: false,
      target: await almanac.node(kind),
    })
  }
  for (const each of installed) {
    try {
      const { name, target, server } = await startPeer(each, { home: folder, cores })
      opened.push(server.stop)
      contestants.push({ name, isPeer: true, target })
    } catch (error) {
      absent.push({ name: each.peer.name, reason: `not started: ${(error as Error).message}` })
    }
  }
  const findings: Record<string, Finding> = {}
  for (const name of values.rows.split(',')) {
    const row = rows[name as keyof typeof rows]
    if (row === undefined) throw new Error(`there is no row ${name}`)
    const finding = await row({ options, folder, contestants })
    findings[name] = finding
    say(`\n${show(name, finding)}`)
  }
  for (const { name, reason } of absent) say(`\nMISSING  ${name}: ${reason}`)
  say(`\n${JSON.stringify(about)}`)
  if (values.out) await save(values.out, { conditions: about, missing: absent, findings })
} finally {
  for (const close of opened.reverse()) await close()
  await rm(folder, { recursive: true, force: true })
}
