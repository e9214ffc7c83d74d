import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const root = resolve(import.meta.dirname, '../..')

export type ProcessOptions = {
  /** For people; names the log file too. */
  readonly name: string
  /** The entry point, relative to the repository. */
  readonly script: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly url: string
  readonly logDir: string
  /** The process is ready when this path answers 200. */
  readonly readyPath: string
  readonly readyMs: number
}

/** V8 may abort where threads come and go: docs/decisions/threads.md. */
export const threadFlag = '--wasm-wrapper-tiering-budget=1000000000'

/** One of our processes, that can be ended in every way and started again as it was. */
export class ManagedProcess {
  readonly name: string
  readonly url: string
  readonly logFile: string
  readonly #options: ProcessOptions
  #child: ChildProcess | undefined

  constructor(options: ProcessOptions) {
    this.name = options.name
    this.url = options.url
    this.logFile = join(options.logDir, `${options.name}.log`)
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && !this.#child.signalCode
  }

  /** Starts the process without waiting for it to be ready. */
  spawn(): void {
    if (this.running) return
    const log = openSync(this.logFile, 'a')
    const { script, args, env } = this.#options
    this.#child = spawn(process.execPath, [threadFlag, join(root, script), ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
    })
    closeSync(log)
  }

  async start(): Promise<void> {
    this.spawn()
    await this.ready()
  }

  /** Resolves when the process answers that it is ready; rejects with the end of its log. */
  async ready(): Promise<void> {
    const { readyPath, readyMs } = this.#options
    const deadline = performance.now() + readyMs
    while (performance.now() < deadline) {
      if (!this.running) throw new Error(`${this.name} ended: ${await this.#logTail()}`)
      if (await answersOk(this.url + readyPath)) return
      await delay(25)
    }
    throw new Error(`${this.name} was not ready in ${readyMs} ms: ${await this.#logTail()}`)
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child?.kill(signal)
  }

  /** Ends it with SIGTERM, and with SIGKILL when it takes longer than `withinMs`. */
  async stop(withinMs = 30_000): Promise<void> {
    if (!this.running) return
    const ended = this.ended()
    this.signal('SIGTERM')
    const late = setTimeout(() => this.signal('SIGKILL'), withinMs)
    await ended
    clearTimeout(late)
  }

  /** SIGKILL, and the end of the process. */
  async kill(): Promise<void> {
    const ended = this.ended()
    this.signal('SIGKILL')
    await ended
  }

  ended(): Promise<void> {
    const child = this.#child
    if (!child || !this.running) return Promise.resolve()
    return new Promise((done) => child.once('exit', () => done()))
  }

  async #logTail(): Promise<string> {
    const log = await readFile(this.logFile, 'utf8').catch(() => '')
    return `\n${log.split('\n').slice(-15).join('\n')}`
  }
}

/** A port on loopback that nobody uses at present. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
