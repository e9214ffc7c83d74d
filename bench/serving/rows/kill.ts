import { setTimeout as delay } from 'node:timers/promises'
import { median } from '../../statistics.ts'
import { startBackedCluster } from '../almanac/cluster.ts'
import { fitSample, forecastPath } from '../almanac/start.ts'
import { failedOf, p99Of, type Sent, steady } from '../load/steady.ts'
import {
  type InstalledPeer,
  type Missing,
  ofEach,
  type RunningPeer,
  startPeer,
} from '../peers/start.ts'
import { commandOf, signal, treeOf } from '../processes.ts'
import { type Finding, spreadOf, type Verdict } from '../report.ts'
import type { Options } from '../run.ts'
import type { Target } from '../target.ts'

const perSecond = 50
/** At rest, and then from the kill on. */
const [restMs, watchMs] = [2_000, 4_000]
const normalMsWanted = 100
/** Answers are normal again with the last odd one before so long a time without any. */
const calmMs = 1_000
const place = (folder: string) => ({ folder, cores: '0,1' })

type Kill = { readonly failed: number; readonly normalAfterMs: number; readonly slowestMs: number }
type Fallen = { readonly name: string; readonly kills: Kill[]; readonly remark: string }

/** One of the processes that compute forecasts is killed; answers of other ones go on. */
export async function kill(
  options: Options,
  installed: readonly InstalledPeer[],
  folder: string,
  absent: Missing[],
): Promise<Finding> {
  const { rounds } = options
  const own = await ownKills(rounds, folder)
  const others = await ofEach(installed, absent, (peer) => peerKills(peer, rounds, folder))
  const all = [own, ...others]
  const failed = own.kills.reduce((sum, each) => sum + each.failed, 0)
  const after = median(own.kills.map(({ normalAfterMs }) => normalAfterMs))
  const best = others.length > 0 ? Math.min(...others.map(({ kills }) => sumOf(kills))) : 'absent'
  const verdicts: Verdict[] = [
    { what: `failed requests in all; the best peer ${best}`, value: failed, reached: failed === 0 },
    {
      what: `ms until answers are normal; wanted ${normalMsWanted}`,
      value: after,
      reached: after < normalMsWanted,
    },
  ]
  return {
    title: `one of two computing processes killed at ${perSecond} requests/s, every level new`,
    head: ['', 'kills', 'failed of all', 'ms until normal', 'slowest ms', ''],
    lines: all.map(({ name, kills, remark }) => [
      name,
      String(kills.length),
      `${sumOf(kills)} of ${(kills.length * perSecond * (restMs + watchMs)) / 1_000}`,
      spreadOf(kills.map(({ normalAfterMs }) => normalAfterMs)),
      spreadOf(kills.map(({ slowestMs }) => slowestMs)),
      remark,
    ]),
    verdicts,
    raw: all,
  }
}

function sumOf(kills: readonly Kill[]): number {
  return kills.reduce((sum, { failed }) => sum + failed, 0)
}

async function ownKills(rounds: number, folder: string): Promise<Fallen> {
  const cluster = await startBackedCluster(folder, 2)
  try {
    await fitSample(cluster.url, 'automatic')
    const path = `${forecastPath('automatic')}?level=LEVEL`
    const target = { origin: cluster.url, method: 'GET', path, body: '', headers: {} } as const
    const kills: Kill[] = []
    for (let round = 0; round < rounds; round++) {
      kills.push(await watched(target, folder, () => cluster.nodes[round % 2]!.kill()))
      await cluster.nodes[round % 2]!.start()
    }
    return { name: 'Almanac, a broker and 2 nodes', kills, remark: '' }
  } finally {
    await cluster.stop()
  }
}

async function peerKills(peer: InstalledPeer, rounds: number, folder: string): Promise<Fallen> {
  const kills: Kill[] = []
  // A server that has no other process left does not come back by itself.
  const alone = peer.peer.folder === 'flask'
  const start = () => startPeer(peer, { home: folder, cores: '0,1', workers: 2 })
  let running = await start()
  try {
    for (let round = 0; round < rounds; round++) {
      kills.push(await watched(running.target, folder, () => killWorker(running)))
      await running.server.stop()
      if (round + 1 < rounds) running = await start()
    }
  } finally {
    await running.server.stop()
  }
  return { name: peer.peer.name, kills, remark: alone ? 'one process, nobody restarts it' : '' }
}

async function killWorker({ server, prepared, name }: RunningPeer): Promise<void> {
  for (const pid of (await treeOf(server.pid)).toReversed()) {
    if (!prepared.isWorker.test(await commandOf(pid))) continue
    return signal(pid, 'SIGKILL')
  }
  throw new Error(`${name} has no process that computes forecasts`)
}

/** Sends steadily, kills, and looks at what came of the requests. */
async function watched(target: Target, folder: string, act: () => Promise<void>): Promise<Kill> {
  const seconds = (restMs + watchMs) / 1_000
  const loading = steady({ target, perSecond, seconds, varies: true }, place(folder))
  await delay(restMs + generatorMs)
  const killedMs = performance.timeOrigin + performance.now()
  await act()
  const sent = await loading
  const before = sent.filter(({ atMs, tookMs }) => atMs + tookMs < killedMs)
  const after = sent.filter(({ atMs, tookMs }) => atMs + tookMs >= killedMs)
  const usual = 2 * p99Of(before)
  const odd = after.filter(({ status, tookMs }) => status !== 200 || tookMs > usual)
  return {
    failed: failedOf(sent),
    normalAfterMs: normalAt(odd, killedMs) - killedMs,
    slowestMs: Math.max(...after.map(({ tookMs }) => tookMs)),
  }
}

/** Until the generator's process has begun to send what counts: it warms up for a second. */
const generatorMs = 1_500

/** An odd answer now and then is none of the kill's doing: there are such at rest. */
function normalAt(odd: readonly Sent[], killedMs: number): number {
  let lastMs = killedMs
  for (const each of odd.toSorted((a, b) => a.atMs - b.atMs)) {
    if (each.atMs - lastMs > calmMs) break
    lastMs = Math.max(lastMs, endOf(each))
  }
  return lastMs
}

function endOf({ atMs, tookMs }: Sent): number {
  return atMs + tookMs
}
