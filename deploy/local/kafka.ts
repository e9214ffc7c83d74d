import { type ChildProcess, execFile } from 'node:child_process'
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { answersTo, endChild, isRunning, spawnServer, untilUp } from './child.ts'
import { installJars } from './jars.ts'
import { freePort } from './process.ts'

export type KafkaOptions = {
  /** Kept between starts; a second start finds the data and the ports of the first. */
  readonly dataDir: string
}

/** One broker of Kafka that is its own controller. */
export interface Kafka {
  /** `host:port` */
  readonly address: string
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

const version = '4.1.0'
const startTimeoutMs = 60_000
const stopTimeoutMs = 10_000
const templates = join(import.meta.dirname, 'kafka')
/** Some 340 MB in all. */
const javaFlags = ['-Xms64m', '-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/**
 * Starts a real Kafka on loopback, without containers, and resolves when it answers. The first
 * start on a machine fetches 43 MB of jars through Maven into `$ALMANAC_CACHE` (default
 * `~/.cache/almanac`). Rejects with what to do when Java or Maven are missing, and with the end of
 * the log when it does not come up.
 */
export async function startKafka(options: KafkaOptions): Promise<Kafka> {
  const dataDir = resolve(options.dataDir)
  const lib = await installKafka()
  await mkdir(dataDir, { recursive: true })
  const java = ['-cp', `${templates}:${lib}/*`, ...javaFlags]
  const { port, properties } = await configured(dataDir, java)
  const logFile = join(dataDir, 'kafka.log')
  let child: ChildProcess | undefined
  const alive = () => (child && isRunning(child) ? child : undefined)
  const start = async () => {
    if (alive()) return
    child = await spawnServer('java', [...java, 'kafka.Kafka', properties], {
      cwd: dataDir,
      logFile,
    })
    const isUp = () => answers(port)
    const timeoutMs = startTimeoutMs
    await untilUp(child, { name: 'Kafka', logFile, isUp, timeoutMs, everyMs: 100 })
  }
  await start().catch(async (error) => {
    await endChild(child, 'SIGKILL', stopTimeoutMs)
    throw error
  })
  return {
    address: `127.0.0.1:${port}`,
    logFile,
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

/** The folder with its jars, fetched unless it is there. */
export async function installKafka(): Promise<string> {
  return await installJars({ name: 'kafka', version, pomFile: join(templates, 'pom.xml') })
}

/** Its ports and the file that names them; the first time its folder is formatted, too. */
async function configured(dataDir: string, java: readonly string[]) {
  const properties = join(dataDir, 'server.properties')
  const known = await readFile(properties, 'utf8').catch(() => undefined)
  const port = Number(/PLAINTEXT:\/\/127\.0\.0\.1:(\d+)/.exec(known ?? '')?.[1])
  if (known !== undefined && (await exists(join(dataDir, 'log', 'meta.properties'))))
    return { port, properties }
  const values = { dataDir, port: await freePort(), controllerPort: await freePort() }
  const template = await readFile(join(templates, 'server.properties'), 'utf8')
  const filled = template.replace(/\{\{(\w+)\}\}/g, (whole, key: string) =>
    String(values[key as keyof typeof values] ?? whole),
  )
  await writeFile(properties, filled)
  const clusterId = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')
  const format = ['kafka.tools.StorageTool', 'format', '--standalone', '-t', clusterId]
  const args = [...java, ...format, '-c', properties]
  await promisify(execFile)('java', args, { cwd: dataDir, timeout: startTimeoutMs })
  return { port: values.port, properties }
}

/**
 * Whether it answers ApiVersions, version 0 (kafka.apache.org/protocol): it is up by then. Length
 * 10, key 18, version 0, correlation id 1, no client id.
 */
const answers = (port: number) => answersTo(port, '0000000a0012000000000001ffff', () => true)

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
