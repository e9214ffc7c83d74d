import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export const isRunning = (child: ChildProcess) =>
  child.exitCode === null && child.signalCode === null

/** Starts a server whose words go into a file, and which ends with this process. */
export async function spawnServer(
  command: string,
  args: readonly string[],
  { logFile, ...how }: Place & { readonly logFile: string },
): Promise<ChildProcess> {
  const log = await open(logFile, 'a')
  try {
    const child = spawn(command, args, { ...how, stdio: ['ignore', log.fd, log.fd] })
    await once(child, 'spawn')
    endWithUs(child)
    return child
  } finally {
    await log.close()
  }
}

type Place = { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv }

/** Whether a server on loopback answers some bytes, in hexadecimal, as it does when it is up. */
export async function answersTo(
  port: number,
  question: string,
  isRight: (answer: Buffer) => boolean,
): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.setTimeout(2_000, () => socket.destroy())
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => socket.write(Buffer.from(question, 'hex')))
      socket.once('data', (data) => resolve(isRight(data)))
      socket.once('error', () => resolve(false))
      socket.once('close', () => resolve(false))
    })
  } finally {
    socket.destroy()
  }
}

/** Waits for a server that was just started; rejects with the end of its log when it fails. */
export async function untilUp(
  child: ChildProcess,
  server: {
    readonly name: string
    readonly logFile: string
    readonly isUp: () => Promise<boolean>
    readonly timeoutMs: number
    readonly everyMs: number
  },
): Promise<void> {
  const { name, logFile, isUp, timeoutMs, everyMs } = server
  const until = performance.now() + timeoutMs
  while (!(await isUp())) {
    const hasEnded = !isRunning(child)
    if (hasEnded || performance.now() > until) {
      const tail = (await readFile(logFile, 'utf8')).slice(-3_000)
      const what = hasEnded ? 'ended while starting' : `did not answer in ${timeoutMs} ms`
      throw new Error(`${name} ${what}; the end of ${logFile}:\n${tail}`)
    }
    await delay(everyMs)
  }
}

/** Ends a server, by SIGKILL when its own end takes longer. One that has ended is left alone. */
export async function endChild(
  child: ChildProcess | undefined,
  signal: 'SIGTERM' | 'SIGKILL',
  stopTimeoutMs: number,
): Promise<void> {
  if (!child || !isRunning(child)) return
  const exited = once(child, 'exit')
  child.kill(signal)
  // A frozen process takes a signal only when it runs again.
  child.kill('SIGCONT')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await exited
  clearTimeout(timer)
}

/** A server must not outlive the process that started it, however that one ends. */
function endWithUs(child: ChildProcess): void {
  const watch = 'while kill -0 "$1"; do kill -0 "$2" || exit 0; sleep 2; done; kill -9 "$2"'
  const args = ['-c', watch, 'reaper', String(process.pid), String(child.pid)]
  spawn('sh', args, { detached: true, stdio: 'ignore' }).unref()
}
