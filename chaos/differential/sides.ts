import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startEtcd } from '../../deploy/local/etcd.ts'
import {
  type Coordinator,
  openEmbeddedCoordinator,
  openEtcdCoordinator,
} from '../../shared/src/index.ts'
import type { Side } from './play.ts'

export type ClosableSide = Side & { close(): Promise<void> }
export type Pair = readonly [ClosableSide, ClosableSide]

/** The embedded coordinator beside an etcd process of its own. */
export type RealSides = {
  /** On key spaces that nobody has used. One pair at a time: revisions are etcd's as a whole. */
  fresh(): Promise<Pair>
  remove(): Promise<void>
}

export async function startRealSides(): Promise<RealSides> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-differential-'))
  const etcd = await startEtcd({ dataDir: join(folder, 'etcd') })
  let count = 0
  let last: Pair | undefined
  const closeLast = async () => {
    for (const side of last ?? []) await side.close()
  }
  return {
    async fresh() {
      await closeLast()
      count += 1
      const path = join(folder, `embedded-${count}.sqlite`)
      const open = () => openEmbeddedCoordinator({ path })
      const { endpoints } = etcd
      const options = { endpoints, prefix: `/${count}`, callTimeoutMs }
      last = [
        await sideOf('embedded', async () => [await open()]),
        await sideOf('etcd', async () => [
          await openEtcdCoordinator(options),
          await openEtcdCoordinator(options),
        ]),
      ]
      return last
    },
    async remove() {
      await closeLast()
      await etcd.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** `open` is called again after all that it gave were closed. */
export async function sideOf(
  name: string,
  open: () => Promise<readonly [Coordinator, ...Coordinator[]]>,
): Promise<ClosableSide> {
  let clients = await open()
  const close = async () => {
    for (const client of clients) await client.close()
  }
  return {
    name,
    clients: () => clients,
    async reopen() {
      await close()
      clients = await open()
    },
    until,
    close,
  }
}

/** Machines that test are busy: a late answer is no other answer. */
const callTimeoutMs = 20_000
const untilMs = 30_000

async function until(holds: () => boolean): Promise<void> {
  const startedMs = performance.now()
  while (!holds()) {
    if (performance.now() - startedMs > untilMs) throw new Error(`not so after ${untilMs} ms`)
    await delay(1)
  }
}
