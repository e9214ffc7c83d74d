import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Etcd, startEtcd } from '../../../deploy/local/etcd.ts'

export type TemporaryEtcd = {
  readonly etcd: Etcd
  /** Deletes what the members (which must not run) have stored; ports and identity stay. */
  loseData(): Promise<void>
  remove(): Promise<void>
}

/** An etcd of the test's own, with its data in a temporary folder. */
export async function temporaryEtcd(members: 1 | 3 = 1): Promise<TemporaryEtcd> {
  const dataDir = await mkdtemp(join(tmpdir(), 'almanac-etcd-'))
  const etcd = await startEtcd({ dataDir, members })
  return {
    etcd,
    async loseData() {
      for (const { name } of etcd.members) await rm(join(dataDir, name), { recursive: true })
    },
    async remove() {
      await etcd.kill()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Endpoints of `ALMANAC_TEST_ETCD`, else of an etcd started for the purpose. */
export async function someEtcd(): Promise<{
  endpoints: readonly string[]
  remove(): Promise<void>
}> {
  const given = process.env.ALMANAC_TEST_ETCD?.split(',').filter((endpoint) => endpoint !== '')
  if (given && given.length > 0) return { endpoints: given, remove: async () => {} }
  const { etcd, remove } = await temporaryEtcd()
  return { endpoints: etcd.endpoints, remove }
}
