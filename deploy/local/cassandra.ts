import type { ChildProcess } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { answersTo, endChild, spawnServer, untilUp } from './child.ts'
import { installJars } from './jars.ts'
import { freePort } from './process.ts'

export type CassandraOptions = {
  /** Kept between starts; a second start finds the data of the first. */
  readonly dataDir: string
  /** Of CQL. Default: a free one. */
  readonly port?: number
}

export interface Cassandra {
  readonly contactPoint: string
  readonly localDataCenter: string
  readonly pid: number
  readonly port: number
  readonly dataDir: string
  readonly logFile: string
  /** SIGTERM, and SIGKILL when that takes too long. Doing it twice does no harm. */
  stop(): Promise<void>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGSTOP: the process holds its connections and says nothing. */
  freeze(): void
  /** SIGCONT. */
  thaw(): void
}

const version = '5.0.4'
const localDataCenter = 'datacenter1'
/** Models of some MB, a few at a time; the server itself wants some 150 MB. */
const heapMegabytes = 320
const startTimeoutMs = 120_000
const stopTimeoutMs = 15_000
const templates = join(import.meta.dirname, 'cassandra')

/**
 * Starts a real CQL database (Apache Cassandra on a Java runtime) on loopback, without containers,
 * and resolves when it answers. The first start on a machine fetches 66 MB of jars through Maven
 * into `$ALMANAC_CACHE` (default `~/.cache/almanac`). Rejects with what to do when Java or Maven
 * are missing, and with the end of the log when the server does not come up.
 */
export async function startCassandra(options: CassandraOptions): Promise<Cassandra> {
  const dataDir = resolve(options.dataDir)
  const lib = await installCassandra()
  const port = options.port ?? (await freePort())
  await writeConfiguration(dataDir, port)
  const logFile = join(dataDir, 'cassandra.log')
  const child = await spawnCassandra(dataDir, lib, logFile)
  try {
    const isUp = () => answers(port)
    const timeoutMs = startTimeoutMs
    await untilUp(child, { name: 'Cassandra', logFile, isUp, timeoutMs, everyMs: 100 })
  } catch (error) {
    await endChild(child, 'SIGKILL', stopTimeoutMs)
    throw error
  }
  return {
    contactPoint: `127.0.0.1:${port}`,
    localDataCenter,
    pid: child.pid!,
    port,
    dataDir,
    logFile,
    stop: () => endChild(child, 'SIGTERM', stopTimeoutMs),
    kill: () => endChild(child, 'SIGKILL', stopTimeoutMs),
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
  }
}

/** The folder with the server's jars, fetched unless it is there. */
export async function installCassandra(): Promise<string> {
  return await installJars({ name: 'cassandra', version, pomFile: join(templates, 'pom.xml') })
}

async function writeConfiguration(dataDir: string, nativePort: number): Promise<void> {
  const values = { dataDir, nativePort, storagePort: await freePort(), heapMegabytes }
  await mkdir(join(dataDir, 'conf'), { recursive: true })
  for (const name of ['cassandra.yaml', 'logback.xml', 'jvm.options']) {
    const template = await readFile(join(templates, name), 'utf8')
    const filled = template.replace(/\{\{(\w+)\}\}/g, (whole, key: string) =>
      String(values[key as keyof typeof values] ?? whole),
    )
    await writeFile(join(dataDir, 'conf', name), filled)
  }
}

async function spawnCassandra(
  dataDir: string,
  lib: string,
  logFile: string,
): Promise<ChildProcess> {
  const conf = join(dataDir, 'conf')
  const args = [
    `@${join(conf, 'jvm.options')}`,
    `-Dcassandra.storagedir=${dataDir}`,
    `-Dcassandra.config=file://${join(conf, 'cassandra.yaml')}`,
    '-cp',
    `${conf}:${lib}/*`,
    'org.apache.cassandra.service.CassandraDaemon',
  ]
  return await spawnServer('java', args, { cwd: dataDir, logFile })
}

/** Whether a CQL server answers OPTIONS (native protocol v4, section 4.1.3). */
const answers = (port: number) => answersTo(port, '040000000500000000', (data) => data[4] === 0x06)
