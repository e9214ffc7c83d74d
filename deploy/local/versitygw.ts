import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { spawnServer } from './child.ts'
import { freePort } from './process.ts'
import { type LocalServer, startServer } from './server.ts'
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
export interface ObjectStore extends LocalServer {
  readonly endpoint: string
  readonly keys: ObjectStoreKeys
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
  const { accessKeyId: ROOT_ACCESS_KEY, secretAccessKey: ROOT_SECRET_KEY } = keys
  const env = { ...process.env, ROOT_ACCESS_KEY, ROOT_SECRET_KEY }
  const flags = ['--port', address, '--quiet', 'posix', objects]
  const spawn = () => spawnServer(binary, flags, { env, logFile })
  const isUp = () => answers(endpoint)
  const name = 'versitygw'
  const how = { name, logFile, spawn, isUp, startTimeoutMs, stopTimeoutMs, everyMs: 50 }
  return await startServer(how, { endpoint, keys })
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
