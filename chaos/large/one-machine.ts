import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedCoordinator, openSqliteStore } from '@almanac/shared'
import { freePort } from '../../deploy/local/process.ts'
import { machineIn } from '../soak/one-machine.ts'
import { machineKeys } from '../soak/vitals.ts'
import { type Seeding, seedJobs, seedModels } from './seed.ts'
import type { Site, Size } from './site.ts'

/** The one-process default on a data folder that was filled before it started. */
export async function oneMachineSite({ models, jobs }: Size, signal: AbortSignal): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-large-'))
  const data = join(folder, 'data')
  await mkdir(data)
  await fill(data, signal, async (seeding) => {
    await seedModels(seeding, models)
    await seedJobs(seeding, jobs)
  })
  const vitalsPort = await freePort()
  const fitWorkerFile = '../large/padded-fit-worker.ts'
  const machine = await machineIn(folder, { data, vitalsPort, nodes, fitWorkerFile })
  return {
    name: 'one process',
    url: machine.url,
    serving: nodes,
    parts: () => [{ name: 'machine', pid: machine.pid!, metricsUrl: `${machine.url}/metrics` }],
    start: () => machine.start(),
    restart: async () => {
      await machine.kill()
      await machine.start()
    },
    keys: (prefix) => machineKeys(vitalsPort, prefix),
    close: async () => {
      await machine.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const nodes = 2

async function fill(data: string, signal: AbortSignal, work: (seeding: Seeding) => Promise<void>) {
  const coordinator = await openEmbeddedCoordinator({ path: join(data, 'coordinator.sqlite') })
  const store = await openSqliteStore({ path: join(data, 'store.sqlite') })
  try {
    await work({ coordinator, store, signal })
  } finally {
    await store.close()
    await coordinator.close()
  }
}
