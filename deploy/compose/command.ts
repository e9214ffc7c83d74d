import { execFile } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export const root = resolve(import.meta.dirname, '../..')

/** Where what is made once a machine is kept, as for the servers of deploy/local. */
export const cache = process.env.ALMANAC_CACHE ?? join(homedir(), '.cache/almanac')

export type CommandOptions = {
  readonly timeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** A file that gets the command line and all that it printed. */
  readonly log?: string
}

/** What the command printed. Throws with the end of its output when it fails or takes too long. */
export async function run(
  command: string,
  args: readonly string[],
  { timeoutMs = 60_000, env = {}, cwd = root, log }: CommandOptions = {},
): Promise<string> {
  const line = [command, ...args].join(' ')
  const note = (text: string) => log && appendFileSync(log, text)
  const startedMs = performance.now()
  note(`$ ${line}\n`)
  try {
    const { stdout, stderr } = await execute(command, args, {
      cwd,
      env: { ...process.env, ...env },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 1024 * 1024,
    })
    note(`${stdout}${stderr}(${Math.round(performance.now() - startedMs)} ms)\n`)
    return stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    note(`${stdout}${stderr}`)
    const output = `${stdout}${stderr}`.trim().split('\n').slice(-20).join('\n')
    throw new Error(`${line}: ${output || (error as Error).message}`, { cause: error })
  }
}

/** Whether the command ends with 0. */
export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  )
}
