import { execFile } from 'node:child_process'
import { access, constants, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type GoBinary = {
  readonly name: string
  readonly version: string
  /** The folder with go.mod and go.sum, which pin every version. */
  readonly moduleDir: string
  /** What is built there: `.`, or the path of a package that go.mod names. */
  readonly package: string
  /** What to do on a machine without Go. */
  readonly otherwise: string
}

/**
 * A binary in `$ALMANAC_CACHE` (default `~/.cache/almanac`), built there with Go when it is
 * missing: minutes, once a machine. Rejects with what to do when Go is missing, too.
 */
export async function installGoBinary(wanted: GoBinary): Promise<string> {
  const cache = process.env.ALMANAC_CACHE ?? join(homedir(), '.cache', 'almanac')
  const home = join(cache, `${wanted.name}-${wanted.version}`)
  const binary = join(home, wanted.name)
  if (!(await isExecutable(binary))) await build(wanted, home, binary)
  return binary
}

export async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function build(wanted: GoBinary, home: string, binary: string): Promise<void> {
  const { name, version, moduleDir, otherwise } = wanted
  await run(moduleDir, ['version'], 30_000).catch((cause) => {
    const reason = `${name} is built with Go, and \`go\` did not run.`
    throw new Error(`${reason} Install Go 1.25 or later${otherwise}.`, { cause })
  })
  await mkdir(home, { recursive: true })
  // Built aside and renamed when complete: half a binary is never mistaken for the whole.
  const partial = join(home, `${name}-${process.pid}.partial`)
  const flags = ['build', '-trimpath', '-ldflags=-s -w', '-o', partial, wanted.package]
  try {
    await run(moduleDir, flags, buildTimeoutMs)
    await rename(partial, binary)
  } catch (cause) {
    throw new Error(`${name} ${version} could not be built in ${buildTimeoutMs} ms`, { cause })
  } finally {
    await rm(partial, { force: true })
  }
}

/** On a slow machine with an empty module cache. */
const buildTimeoutMs = 900_000

async function run(folder: string, args: readonly string[], timeoutMs: number): Promise<void> {
  const environment = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' }
  await promisify(execFile)('go', [...args], { cwd: folder, timeout: timeoutMs, env: environment })
}
