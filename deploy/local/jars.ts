import { execFile } from 'node:child_process'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type Jars = {
  readonly name: string
  readonly version: string
  /** Names the artifact and its version; Maven checks what it fetches against Central's sums. */
  readonly pomFile: string
}

const installTimeoutMs = 600_000

/**
 * The folder with a server's jars in `$ALMANAC_CACHE` (default `~/.cache/almanac`), fetched through
 * Maven unless it is there. Rejects with what to do when Java or Maven are missing.
 */
export async function installJars({ name, version, pomFile }: Jars): Promise<string> {
  const java = 'a Java runtime, 17 or later (Debian: openjdk-17-jre-headless)'
  await mustRun(name, 'java', java)
  const cache = process.env.ALMANAC_CACHE ?? join(homedir(), '.cache', 'almanac')
  const home = join(cache, `${name}-${version}`)
  const lib = join(home, 'lib')
  if (await exists(lib)) return lib
  await mustRun(name, 'mvn', 'Maven (Debian: maven)')
  await mkdir(home, { recursive: true })
  // Fetched aside and renamed when complete: a broken download is never mistaken for the whole.
  const partial = join(home, `lib-${process.pid}.partial`)
  const goal = ['-q', '-B', '-C', '-f', pomFile, 'dependency:copy-dependencies']
  try {
    await run('mvn', [...goal, `-DoutputDirectory=${partial}`], installTimeoutMs)
    await rename(partial, lib)
  } catch (error) {
    if (!(await exists(lib))) throw error
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return lib
}

async function mustRun(name: string, command: string, what: string): Promise<void> {
  try {
    await run(command, ['-version'], 60_000)
  } catch (error) {
    throw new Error(`${name} on this machine needs ${what}: \`${command}\` did not run`, {
      cause: error,
    })
  }
}

async function run(command: string, args: readonly string[], timeoutMs: number): Promise<void> {
  await promisify(execFile)(command, [...args], { timeout: timeoutMs })
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
