import { execFile } from 'node:child_process'
import { access, constants, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

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
  const cache = process.env.ALMANAC_CACHE ?? join(homedir(), '.cache', 'almanac')
  const home = join(cache, `etcd-${etcdVersion}`)
  const binary = join(home, 'etcd')
  if (!(await isExecutable(binary))) await build(home, binary)
  return binary
}

async function build(home: string, binary: string): Promise<void> {
  await run('go', ['version'], 30_000).catch((cause) => {
    throw new Error(
      'etcd is built with Go, and `go` did not run. Install Go 1.24 or later, or set ' +
        `ALMANAC_ETCD_BIN to an etcd ${etcdVersion} binary.`,
      { cause },
    )
  })
  await mkdir(home, { recursive: true })
  // Built aside and renamed when complete: half a binary is never mistaken for the whole.
  const partial = join(home, `etcd-${process.pid}.partial`)
  try {
    await run('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', partial, '.'], buildTimeoutMs)
    await rename(partial, binary)
  } catch (cause) {
    throw new Error(`etcd ${etcdVersion} could not be built in ${buildTimeoutMs} ms`, { cause })
  } finally {
    await rm(partial, { force: true })
  }
}

/** On a slow machine with an empty module cache. */
const buildTimeoutMs = 900_000

async function run(command: string, args: readonly string[], timeoutMs: number): Promise<void> {
  const environment = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' }
  await promisify(execFile)(command, [...args], {
    cwd: import.meta.dirname,
    timeout: timeoutMs,
    env: environment,
  })
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
