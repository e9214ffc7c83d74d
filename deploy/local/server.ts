import type { ChildProcess } from 'node:child_process'
import { endChild, isRunning, untilUp } from './child.ts'

/** A real server that is one process of this machine. */
export interface LocalServer {
  readonly logFile: string
  /** Undefined while it does not run. */
  readonly pid: number | undefined
  /** Resolves when it answers; at once when it runs already. */
  start(): Promise<void>
  /** SIGTERM, and SIGKILL when that takes too long. Doing it twice does no harm. */
  stop(): Promise<void>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGSTOP: the process holds its connections and says nothing. */
  freeze(): void
  /** SIGCONT. */
  thaw(): void
}

type How = {
  readonly name: string
  readonly logFile: string
  readonly spawn: () => Promise<ChildProcess>
  readonly isUp: () => Promise<boolean>
  readonly startTimeoutMs: number
  readonly stopTimeoutMs: number
  /** How often it is asked whether it is up. */
  readonly everyMs: number
}

/** One that is not started yet. `start` rejects with the end of its log when it does not come up. */
export function localServer(how: How): LocalServer {
  const { name, logFile, isUp, startTimeoutMs: timeoutMs, stopTimeoutMs, everyMs } = how
  let child: ChildProcess | undefined
  const alive = () => (child && isRunning(child) ? child : undefined)
  return {
    logFile,
    get pid() {
      return alive()?.pid
    },
    start: async () => {
      if (alive()) return
      child = await how.spawn()
      await untilUp(child, { name, logFile, isUp, timeoutMs, everyMs })
    },
    stop: () => endChild(child, 'SIGTERM', stopTimeoutMs),
    kill: () => endChild(child, 'SIGKILL', stopTimeoutMs),
    freeze: () => void alive()?.kill('SIGSTOP'),
    thaw: () => void alive()?.kill('SIGCONT'),
  }
}

/** One that answers, and what else is to be known of it. One that does not come up is ended. */
export async function startServer<Facts extends object>(
  how: How,
  facts: Facts,
): Promise<LocalServer & Facts> {
  const server = localServer(how)
  await server.start().catch(async (error) => {
    await server.kill()
    throw error
  })
  return Object.assign(server, facts)
}
