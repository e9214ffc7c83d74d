import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, ManagedProcess } from '../../deploy/local/process.ts'
import type { MachineOrder } from './machine.ts'
import { type SoakSite, soakAnswerCacheBytes, soakBounds } from './site.ts'
import { machineKinds, storeRows } from './vitals.ts'

/** The one-process default. */
export async function oneMachineSite(): Promise<SoakSite> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-soak-'))
  const data = join(folder, 'data')
  const vitalsPort = await freePort()
  const machine = await machineIn(folder, {
    ...{ data, vitalsPort, nodes: 2, bounds: soakBounds },
    answerCacheBytes: soakAnswerCacheBytes,
  })
  const close = async () => {
    await machine.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await machine.start()
  } catch (error) {
    await close()
    throw error
  }
  const sizeMb = async (name: string) => (await stat(join(data, name))).size / 1_048_576
  return {
    url: machine.url,
    parts: () => [{ name: 'machine', pid: machine.pid!, vitalsPort }],
    keys: () => machineKinds(vitalsPort),
    rows: async () => storeRows(join(data, 'store.sqlite')),
    fileMb: async () => ({
      coordinator: await sizeMb('coordinator.sqlite'),
      store: await sizeMb('store.sqlite'),
    }),
    close,
  }
}

/** The process of `machine.ts`, not started yet. */
export async function machineIn(
  folder: string,
  order: Omit<MachineOrder, 'port'>,
): Promise<ManagedProcess> {
  const port = await freePort()
  return new ManagedProcess({
    name: 'machine',
    script: 'chaos/soak/machine.ts',
    args: [JSON.stringify({ ...order, port } satisfies MachineOrder)],
    env: {},
    url: `http://127.0.0.1:${port}`,
    logDir: folder,
    readyPath: '/readyz',
    readyMs: 300_000,
  })
}
