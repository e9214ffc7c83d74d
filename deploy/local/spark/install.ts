import { execFile } from 'node:child_process'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const version = '4.0.5'
const installTimeoutMs = 1_200_000

/**
 * The folder of Spark in `$ALMANAC_CACHE` (default `~/.cache/almanac`), fetched by pip into an
 * environment of its own unless it is there: 430 MB. Rejects with what to do when Java or Python
 * are missing.
 */
export async function installSpark(): Promise<string> {
  await mustRun('java', ['-version'], 'a Java runtime, 17 or later (Debian: openjdk-17-jre)')
  const cache = process.env.ALMANAC_CACHE ?? join(homedir(), '.cache', 'almanac')
  const home = join(cache, 'spark-4.0')
  const known = await sparkIn(home)
  if (known !== undefined) return known
  const python = 'Python 3.9 or later with venv (Debian: python3-venv)'
  await mustRun('python3', ['-c', 'import ensurepip, venv'], python)
  await mkdir(cache, { recursive: true })
  // Fetched aside and renamed when complete: a broken download is never mistaken for the whole.
  const partial = `${home}-${process.pid}.partial`
  try {
    await run('python3', ['-m', 'venv', partial])
    const requirements = join(import.meta.dirname, 'requirements.txt')
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '-r', requirements]
    await run(join(partial, 'bin', 'python'), pip)
    await rm(home, { recursive: true, force: true })
    await rename(partial, home)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  const installed = await sparkIn(home)
  if (installed === undefined) throw new Error(`pip left no Spark ${version} in ${home}`)
  return installed
}

/** Of this version; the name of Python's own folder has its version, whichever that is. */
async function sparkIn(home: string): Promise<string | undefined> {
  for (const python of await namesIn(join(home, 'lib'))) {
    const packages = join(home, 'lib', python, 'site-packages')
    const names = await namesIn(packages)
    if (names.includes(`pyspark-${version}.dist-info`)) return join(packages, 'pyspark')
  }
  return undefined
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch(() => [])
}

async function mustRun(command: string, args: readonly string[], what: string): Promise<void> {
  try {
    await run(command, args)
  } catch (error) {
    throw new Error(`Spark on this machine needs ${what}: \`${command}\` did not run`, {
      cause: error,
    })
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(command, [...args], { timeout: installTimeoutMs })
}
