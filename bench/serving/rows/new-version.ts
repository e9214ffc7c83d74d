import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { median } from '../../statistics.ts'
import { startBackedCluster } from '../almanac/cluster.ts'
import { read, sampleFile, startAlmanac } from '../almanac/start.ts'
import {
  type InstalledPeer,
  type Missing,
  ofEach,
  type RunningPeer,
  startPeer,
} from '../peers/start.ts'
import { signal } from '../processes.ts'
import { type Finding, spreadOf } from '../report.ts'
import type { Options } from '../run.ts'
import { urlOf } from '../target.ts'

const wantedMs = 250
const ownRounds = 20
/** Nothing is heard of a peer's new version for longer than this: it will not come. */
const giveUpMs = 120_000

type Renewed = { readonly name: string; readonly how: string; readonly tookMs: readonly number[] }

/**
 * From the POST until every node serves the new version. The model is the naive one, whose fit
 * takes no time: so nothing has to be taken off.
 */
export async function newVersion(
  options: Options,
  installed: readonly InstalledPeer[],
  folder: string,
  absent: Missing[],
): Promise<Finding> {
  const all: Renewed[] = []
  const almanac = await startAlmanac({ folder, cores: '0,1', nodes: 2 })
  try {
    all.push(await renewOwn('Almanac, npm start, 2 nodes', almanac.url))
  } finally {
    await almanac.server.stop()
  }
  const cluster = await startBackedCluster(folder, 3)
  try {
    all.push(await renewOwn('Almanac, etcd + CQL, 2 brokers, 3 nodes', cluster.url))
  } finally {
    await cluster.stop()
  }
  const own = all.slice()
  const { rounds } = options
  all.push(...(await ofEach(installed, absent, (peer) => renewPeer(peer, rounds, folder))))
  return {
    title: 'POST of the data to serving everywhere, less the fit itself',
    head: ['', 'how', 'times', 'ms, median (min – max)'],
    lines: all.map(({ name, how, tookMs }) => [name, how, `${tookMs.length}`, spreadOf(tookMs)]),
    verdicts: own.map(({ name, tookMs }) => {
      const value = median(tookMs)
      return { what: `ms: ${name}; wanted ${wantedMs}`, value, reached: value < wantedMs }
    }),
    raw: all,
  }
}

async function renewOwn(name: string, url: string): Promise<Renewed> {
  const { data } = JSON.parse(await readFile(sampleFile, 'utf8')) as { data: number[] }
  const body = JSON.stringify({ data, spec: { family: 'baseline', method: 'naive' } })
  const tookMs: number[] = []
  // The first ones are slower: nothing is compiled, no thread is warm.
  for (let round = -2; round < ownRounds; round++) {
    const startedMs = performance.now()
    const { version, state } = (await read(`${url}/api/models/quick/fit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })) as { version: number; state: string }
    if (state !== 'serving') throw new Error(`version ${version} is ${state}`)
    while (!(await isEverywhere(url, version))) await delay(1)
    if (round >= 0) tookMs.push(performance.now() - startedMs)
    await delay(100)
  }
  return { name, how: 'POST', tookMs }
}

async function isEverywhere(url: string, version: number): Promise<boolean> {
  const { nodes } = (await read(`${url}/api/nodes`)) as {
    nodes: { models: { model: string; loaded: number[] }[] }[]
  }
  return nodes.every(({ models }) =>
    models.some(({ model, loaded }) => model === 'quick' && loaded.includes(version)),
  )
}

async function renewPeer(
  installed: InstalledPeer,
  rounds: number,
  folder: string,
): Promise<Renewed> {
  const { name, folder: kind } = installed.peer
  const start = () => startPeer(installed, { home: folder, cores: '0,1' })
  let running = await start()
  const tookMs: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      const startedMs = performance.now()
      if (kind === 'ray') await redeploy(running, round + 2)
      else if (kind === 'mlserver') await reload(running, join(folder, kind), round + 2)
      else {
        await running.server.stop()
        running = await start()
      }
      tookMs.push(performance.now() - startedMs)
    }
  } finally {
    await running.server.stop()
  }
  const how = { ray: 'serve.run again', mlserver: 'load again' }[kind] ?? 'stop and start'
  return { name, how, tookMs }
}

/** Every replica answers with the new version when many answers in a row do. */
async function redeploy({ server, target }: RunningPeer, version: number): Promise<void> {
  signal(server.pid, 'SIGUSR1')
  await untilSeen(target, (text) => text.includes(`"version":${version}`), 10)
}

async function reload({ target }: RunningPeer, home: string, version: number): Promise<void> {
  const file = join(home, 'model-settings.json')
  const settings = await readFile(file, 'utf8')
  await writeFile(file, settings.replace(/"v\d+"/, `"v${version}"`))
  await fetch(`${target.origin}/v2/repository/models/arima/load`, { method: 'POST' })
  await untilSeen(target, (text) => text.includes(`"v${version}"`), 1)
}

async function untilSeen(
  target: RunningPeer['target'],
  isNew: (text: string) => boolean,
  times: number,
): Promise<void> {
  const { url, init } = urlOf(target, 80)
  const startedMs = performance.now()
  for (let seen = 0; seen < times; ) {
    if (performance.now() - startedMs > giveUpMs) throw new Error(`${url} shows no new version`)
    // Some refuse connections while they change over.
    const text = await fetch(url, { ...init, signal: AbortSignal.timeout(giveUpMs) }).then(
      (response) => response.text(),
      () => '',
    )
    if (text === '') await delay(1)
    seen = isNew(text) ? seen + 1 : 0
  }
}
