import type { ChildProcess } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { endChild, isRunning, spawnServer, untilUp } from './child.ts'
import { freePort } from './process.ts'
import { installVersitygw } from './versitygw/install.ts'

export type ObjectStoreOptions = {
  /** Kept between starts; a second start finds the data of the first. */
  readonly dataDir: string
  /** Buckets that are there from the first start on. */
  readonly buckets: readonly string[]
}

/** Keys of the only user. */
export type ObjectStoreKeys = { readonly accessKeyId: string; readonly secretAccessKey: string }

/** An object store that speaks the protocol of S3. */
export interface ObjectStore {
  readonly endpoint: string
  readonly keys: ObjectStoreKeys
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

const startTimeoutMs = 30_000
const stopTimeoutMs = 5_000
const keys = { accessKeyId: 'almanac-test', secretAccessKey: 'a-secret-of-nobody' }

/**
 * Starts an object store (versitygw over a folder) on loopback and resolves when it answers. Builds
 * it when there is none (see `installVersitygw`).
 */
export async function startObjectStore(options: ObjectStoreOptions): Promise<ObjectStore> {
  const dataDir = resolve(options.dataDir)
  const binary = await installVersitygw()
  const logFile = join(dataDir, 'versitygw.log')
  const objects = join(dataDir, 'objects')
  // A folder at the top is a bucket.
  for (const bucket of options.buckets) await mkdir(join(objects, bucket), { recursive: true })
  const address = `127.0.0.1:${await freePort()}`
  const endpoint = `http://${address}`
  let child: ChildProcess | undefined
  const alive = () => (child && isRunning(child) ? child : undefined)
  const start = async () => {
    if (alive()) return
    const { accessKeyId: ROOT_ACCESS_KEY, secretAccessKey: ROOT_SECRET_KEY } = keys
    const env = { ...process.env, ROOT_ACCESS_KEY, ROOT_SECRET_KEY }
    const flags = ['--port', address, '--quiet', 'posix', objects]
    child = await spawnServer(binary, flags, { env, logFile })
    const isUp = () => answers(endpoint)
    const timeoutMs = startTimeoutMs
    await untilUp(child, { name: 'versitygw', logFile, isUp, timeoutMs, everyMs: 50 })
  }
  await start().catch(async (error) => {
    await endChild(child, 'SIGKILL', stopTimeoutMs)
    throw error
  })
  return {
    endpoint,
    keys,
    get pid() {
      return alive()?.pid
    },
    start,
    stop: () => endChild(child, 'SIGTERM', stopTimeoutMs),
    kill: () => endChild(child, 'SIGKILL', stopTimeoutMs),
    freeze: () => void alive()?.kill('SIGSTOP'),
    thaw: () => void alive()?.kill('SIGCONT'),
  }
}

/** Whoever asks without keys is refused, by a server that is up. */
async function answers(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.status === 403
  } catch {
    return false
  }
}
