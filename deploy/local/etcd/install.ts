import { resolve } from 'node:path'
import { installGoBinary, isExecutable } from '../go-binary.ts'

export const etcdVersion = '3.6.5'

/**
 * The etcd binary: `$ALMANAC_ETCD_BIN`, or the one in `$ALMANAC_CACHE` (default
 * `~/.cache/almanac`), built there with Go when it is missing: two minutes, once a machine.
 * Rejects with what to do when there is neither.
 */
export async function installEtcd(): Promise<string> {
  const given = process.env.ALMANAC_ETCD_BIN
  if (given) {
    if (await isExecutable(given)) return resolve(given)
    throw new Error(`ALMANAC_ETCD_BIN names ${given}, which is not an executable file`)
  }
  return await installGoBinary({
    name: 'etcd',
    version: etcdVersion,
    moduleDir: import.meta.dirname,
    package: '.',
    otherwise: `, or set ALMANAC_ETCD_BIN to an etcd ${etcdVersion} binary`,
  })
}
