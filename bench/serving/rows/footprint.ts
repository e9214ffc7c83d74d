import { execFile } from 'node:child_process'
import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort, threadFlag } from '../../../deploy/local/process.ts'
import { median } from '../../statistics.ts'
import { fitSample, root } from '../almanac/start.ts'
import { type InstalledPeer, type Missing, ofEach, startPeer } from '../peers/start.ts'
import { answers, diskMb, memoryOf, startServer } from '../processes.ts'
import { type Finding, spreadOf, type Verdict } from '../report.ts'
import type { Options } from '../run.ts'

const run = promisify(execFile)
/** Until garbage is collected and helpers have started. */
const idleMs = 4_000

type Footprint = {
  readonly name: string
  readonly installMb: number
  readonly startMs: number[]
  readonly rssMb: number[]
  readonly pssMb: number[]
}

/** Installed, started with one model, asked once, left alone: what does it take? */
export async function footprint(
  options: Options,
  installed: readonly InstalledPeer[],
  folder: string,
  absent: Missing[],
): Promise<Finding> {
  const own = { ...empty('Almanac, npm start'), installMb: await installedMb(folder) }
  await withModel(folder)
  for (let round = 0; round < options.rounds; round++) await note(own, () => startOwn(folder))
  const peers = await ofEach(installed, absent, async (peer) => {
    const print = { ...empty(peer.peer.name), installMb: await diskMb(peer.venv) }
    const home = { home: folder, cores: '0,1' }
    for (let round = 0; round < options.rounds; round++)
      await note(print, async () => (await startPeer(peer, home)).server)
    return print
  })
  const smallest = (read: (each: Footprint) => number) => Math.min(...peers.map(read))
  const verdicts: Verdict[] =
    peers.length === 0
      ? []
      : [
          less(
            'idle RSS',
            median(own.rssMb),
            smallest(({ rssMb }) => median(rssMb)),
            'MB',
          ),
          less(
            'start-up',
            median(own.startMs),
            smallest(({ startMs }) => median(startMs)),
            'ms',
          ),
          less(
            'install size',
            own.installMb,
            smallest(({ installMb }) => installMb),
            'MB',
          ),
        ]
  return {
    title: 'one process, one model, idle; start-up to the first forecast; both cores',
    head: ['', 'installed MB', 'start-up ms', 'RSS MB', 'PSS MB'],
    lines: [own, ...peers].map(({ name, installMb, startMs, rssMb, pssMb }) => [
      name,
      installMb.toFixed(0),
      spreadOf(startMs),
      spreadOf(rssMb),
      spreadOf(pssMb),
    ]),
    verdicts,
    raw: [own, ...peers],
  }
}

function less(what: string, value: number, least: number, unit: string): Verdict {
  return {
    what: `${unit}, ${what}; the least of a peer is ${least.toFixed(0)}`,
    value,
    reached: value < least,
  }
}

function empty(name: string): Footprint {
  return { name, installMb: 0, startMs: [], rssMb: [], pssMb: [] }
}

async function note(print: Footprint, start: () => ReturnType<typeof startServer>) {
  const server = await start()
  await delay(idleMs)
  const { rssMb, pssMb } = await memoryOf(server.pid)
  await server.stop()
  print.startMs.push(server.startMs)
  print.rssMb.push(rssMb)
  print.pssMb.push(pssMb)
}

/** What a user has after `npm ci --omit=dev`: modules and sources, without Node itself. */
async function installedMb(folder: string): Promise<number> {
  const place = join(folder, 'installed')
  await mkdir(place)
  const { stdout } = await run('git', ['ls-files'], { cwd: root, maxBuffer: 1e8 })
  const wanted = /^(broker|engine|model-api|shared|deploy)\/(?!.*test\/)|^package|^\.npmrc/
  for (const file of stdout.split('\n').filter((name) => wanted.test(name)))
    await cp(join(root, file), join(place, file))
  await run('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund'], {
    cwd: place,
    timeout: 300_000,
  })
  const size = await diskMb(place)
  await rm(place, { recursive: true })
  return size
}

async function withModel(folder: string): Promise<void> {
  const server = await startOwn(folder, async (url) => {
    if (!(await answers(`${url}/readyz`))) return false
    await fitSample(url, 'automatic')
    return true
  })
  await server.stop()
}

/** As `npm start` does it. */
async function startOwn(folder: string, isUp?: (url: string) => Promise<boolean>) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const script = join(root, 'deploy/local/start.mjs')
  const data = join(folder, 'footprint')
  return await startServer({
    command: [process.execPath, threadFlag, script, '--port', `${port}`, '--data', data],
    cwd: root,
    env: {},
    logFile: join(folder, 'footprint.log'),
    cores: '0,1',
    isUp: () => isUp?.(url) ?? answers(`${url}/api/forecast/500?level=80`),
  })
}
