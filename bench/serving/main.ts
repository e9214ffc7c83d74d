import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sampleFile, startAlmanac } from './almanac/start.ts'
import { installPeers } from './peers/start.ts'
import { stopAllServers } from './processes.ts'
import { conditions, type Finding, save, show } from './report.ts'
import { computed } from './rows/computed.ts'
import { footprint } from './rows/footprint.ts'
import { halfLoad } from './rows/half-load.ts'
import { kill } from './rows/kill.ts'
import { newVersion } from './rows/new-version.ts'
import { swap } from './rows/swap.ts'
import type { Options } from './run.ts'
import { sideBySide } from './side-by-side.ts'

/**
 * How this project serves beside others that serve the same model: see docs/benchmarks.md.
 *
 *   npm run bench:serving -- [--rows computed,…] [--peers flask,…] [--rounds N] [--out FILE]
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    peers: { type: 'string', default: 'flask,mlserver,bentoml,ray' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    out: { type: 'string' },
  },
})
const options: Options = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  serverCore: '0',
  loadCore: '1',
}
const folder = await mkdtemp(join(tmpdir(), 'bench-'))
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(
    name,
    () =>
      void stopAllServers()
        .then(tidyUp)
        .finally(() => process.exit(130)),
  )
const say = (line: string) => process.stdout.write(`${line}\n`)
try {
  await main()
} finally {
  await tidyUp()
}

function tidyUp(): Promise<void> {
  return rm(folder, { recursive: true, force: true })
}

async function main(): Promise<void> {
  const about = conditions({ rounds: options.rounds, secondsPerRun: options.seconds })
  const peers = values.peers.split(',')
  const { installed, missing } = await installPeers(sampleFile, (name) => peers.includes(name))
  const absent = [...missing]
  const rows: Readonly<Record<string, (home: string) => Promise<Finding>>> = {
    computed: (home) => sideBySide(options, installed, home, absent, computed),
    'half-load': (home) => sideBySide(options, installed, home, absent, halfLoad),
    swap: async (home) => {
      const almanac = await startAlmanac({ folder: home, cores: '0,1', nodes: 2 })
      return swap({ almanac, folder: home }).finally(almanac.server.stop)
    },
    kill: (home) => kill(options, installed, home, absent),
    'new-version': (home) => newVersion(options, installed, home, absent),
    footprint: (home) => footprint(options, installed, home, absent),
  }
  const wanted = values.rows === undefined ? Object.keys(rows) : values.rows.split(',')
  const findings: Record<string, Finding> = {}
  for (const name of wanted) {
    const row = rows[name]
    if (row === undefined) throw new Error(`there is no row ${name}: ${Object.keys(rows)}`)
    const home = join(folder, name)
    await mkdir(home)
    const finding = await row(home)
    findings[name] = finding
    say(`\n${show(name, finding)}`)
    // A row takes minutes: what was found so far is not lost with an interrupted run.
    if (values.out !== undefined)
      await save(values.out, { conditions: about, missing: absent, findings })
  }
  for (const { name, reason } of absent) say(`\nMISSING  ${name}: ${reason}`)
  say(`\n${JSON.stringify(about)}`)
  if (values.out === undefined)
    say(JSON.stringify({ conditions: about, missing: absent, findings }))
}
