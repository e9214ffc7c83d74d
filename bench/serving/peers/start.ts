import { join } from 'node:path'
import { answers, type Server, startServer } from '../processes.ts'
import { type Target, urlOf } from '../target.ts'
import { type Peer, type Prepared, peers } from './catalogue.ts'
import { fitArima, installPeer, scripts } from './install.ts'

export type RunningPeer = {
  readonly name: string
  readonly venv: string
  readonly target: Target
  readonly server: Server
  readonly prepared: Prepared
}

/** A peer that is not there, and why: the report says so. */
export type Missing = { readonly name: string; readonly reason: string }

export type InstalledPeer = {
  readonly peer: Peer
  readonly venv: string
  readonly modelFile: string
}

/** Installs what is asked for; what cannot be had is told, not passed over. */
export async function installPeers(
  seriesFile: string,
  wanted: (folder: string) => boolean,
): Promise<{ installed: readonly InstalledPeer[]; missing: readonly Missing[] }> {
  const installed: InstalledPeer[] = []
  const missing: Missing[] = []
  for (const peer of peers) {
    if (!wanted(peer.folder)) {
      missing.push({ name: peer.name, reason: 'left out by --peers' })
      continue
    }
    try {
      const venv = await installPeer(peer.folder, peer.packages)
      installed.push({ peer, venv, modelFile: await fitArima(venv, seriesFile) })
    } catch (error) {
      missing.push({ name: peer.name, reason: `not installed: ${(error as Error).message}` })
    }
  }
  return { installed, missing }
}

/** What is found of each peer; one that fails is told in `absent`, and does not end the row. */
export async function ofEach<T>(
  installed: readonly InstalledPeer[],
  absent: Missing[],
  measure: (peer: InstalledPeer) => Promise<T>,
): Promise<readonly T[]> {
  const found: T[] = []
  for (const each of installed) {
    try {
      found.push(await measure(each))
    } catch (error) {
      absent.push({ name: each.peer.name, reason: `not measured: ${(error as Error).message}` })
    }
  }
  return found
}

/** Starts one on the cores given; rejects with the end of its log when it does not come up. */
export async function startPeer(
  { peer, venv, modelFile }: InstalledPeer,
  options: { readonly home: string; readonly cores: string; readonly workers?: number },
): Promise<RunningPeer> {
  const home = join(options.home, peer.folder)
  const prepared = await peer.prepare({ venv, modelFile, home, workers: options.workers ?? 1 })
  const { target } = prepared
  const { url, init } = urlOf(target, 80)
  const server = await startServer({
    command: prepared.command,
    cwd: prepared.cwd,
    env: { ...oneThread, PYTHONPATH: scripts, ...prepared.env },
    logFile: join(options.home, `${peer.folder}.log`),
    cores: options.cores,
    isUp: () => answers(url, init),
  })
  return { name: peer.name, venv, target, server, prepared }
}

/** Threads of numerical libraries would only get in each other's way on one core. */
const oneThread = {
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  PYTHONUNBUFFERED: '1',
  PYTHONDONTWRITEBYTECODE: '1',
}
