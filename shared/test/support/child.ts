import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A TypeScript program of the tests as a process of its own. */
export type Child = {
  readonly process: ChildProcess
  readonly lines: readonly string[]
  readonly errors: () => string
  /** Resolves with the exit code; kills the process and rejects when it takes longer. */
  ended(timeoutMs: number): Promise<number | null>
  kill(): Promise<void>
}

export function startChild(file: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  const lines: string[] = []
  let errors = ''
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  child.stderr.on('data', (data) => {
    errors += String(data)
  })
  return {
    process: child,
    lines,
    errors: () => errors,
    async ended(timeoutMs) {
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
      const [code, signal] = await exited
      clearTimeout(timer)
      if (signal) throw new Error(`still running after ${timeoutMs} ms: ${errors}`)
      return code as number
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
