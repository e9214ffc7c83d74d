import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export type SpeedRequest = {
  readonly model: string
  readonly season: number
  readonly horizon: number
  readonly series: readonly (readonly number[])[]
  readonly order?: readonly number[]
  readonly start?: string
  readonly rule?: string
}

export type SpeedAnswer = {
  readonly cpuSeconds: number
  readonly aicc: readonly (number | null)[]
  /** CPU time since the process began. */
  readonly processSeconds: number
}

/** A Python process that measures peers, kept so that what it compiled stays compiled. */
export function openPeerProcess(python: string) {
  const script = join(import.meta.dirname, 'speed_peers.py')
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'ignore'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async ask(request: SpeedRequest): Promise<SpeedAnswer> {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      const line = await lines.next()
      if (line.done === true) throw new Error(`the peers' process ended on ${request.model}`)
      return JSON.parse(line.value) as SpeedAnswer
    },
    async close(): Promise<void> {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

export type PeerProcess = ReturnType<typeof openPeerProcess>
