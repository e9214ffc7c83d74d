import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Some 300 MB of wheels from a registry; beyond this something hangs. */
const installMs = 15 * 60_000
/** A fit by statsmodels takes seconds. */
const fitMs = 5 * 60_000

/** Where the peers and the model that they serve are kept between runs. */
const peersFolder = join(homedir(), '.cache', 'almanac', 'peers-serving')
export const scripts = join(import.meta.dirname, 'python')

/**
 * A virtual environment of Python with exactly these packages, made when it is not there yet.
 * Rejects with what to do when there is no Python or the registry does not give them.
 */
export async function installPeer(name: string, packages: readonly string[]): Promise<string> {
  const venv = join(peersFolder, name)
  const stamp = join(venv, 'installed.txt')
  const wanted = packages.join('\n')
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return venv
  await mkdir(peersFolder, { recursive: true })
  await run('python3', ['-m', 'venv', venv], { timeout: 120_000 })
  await run(join(venv, 'bin', 'pip'), ['install', '--quiet', ...packages], { timeout: installMs })
  await writeFile(stamp, wanted)
  return venv
}

/** The model that every peer serves, fitted once with the statsmodels of `venv`. */
export async function fitArima(venv: string, seriesFile: string): Promise<string> {
  const modelFile = join(peersFolder, 'arima-statsmodels-0.15.0.pkl')
  if (await readFile(modelFile).catch(() => undefined)) return modelFile
  await run(join(venv, 'bin', 'python'), [join(scripts, 'fit_arima.py'), seriesFile, modelFile], {
    timeout: fitMs,
  })
  return modelFile
}
