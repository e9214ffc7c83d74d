import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolderFiles } from '@almanac/shared'
import { freePort, ManagedProcess } from '../../deploy/local/process.ts'
import type { TestCluster } from './cluster.ts'

/** What `npm start` starts: one process with embedded parts, on a data folder of its own. */
export async function startOneMachineCluster(): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-e2e-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const machine = new ManagedProcess({
    name: 'almanac',
    script: 'deploy/local/start.mjs',
    args: ['--port', String(port), '--data', join(folder, 'data'), '--nodes', '2'],
    env: { ALMANAC_LOG_LEVEL: 'info' },
    url,
    logDir: folder,
    readyPath: '/readyz',
    readyMs: 15_000,
  })
  await machine.start()
  const files = await openFolderFiles({ path: join(folder, 'data/files') })
  return {
    brokers: [url],
    files,
    async restartAll() {
      await machine.kill()
      await machine.start()
    },
    async close() {
      await files.close()
      await machine.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
