import { execFile } from 'node:child_process'
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { answersTo, spawnServer } from './child.ts'
import { installJars } from './jars.ts'
import { freePort } from './process.ts'
import { type LocalServer, startServer } from './server.ts'

export type KafkaOptions = {
  /** Kept between starts; a second start finds the data and the ports of the first. */
  readonly dataDir: string
}

/** One broker of Kafka that is its own controller. */
export interface Kafka extends LocalServer {
  /** `host:port` */
  readonly address: string
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
  const spawn = () =>
    spawnServer('java', [...java, 'kafka.Kafka', properties], { cwd: dataDir, logFile })
  const isUp = () => answers(port)
  const how = { name: 'Kafka', logFile, spawn, isUp, startTimeoutMs, stopTimeoutMs, everyMs: 100 }
  return await startServer(how, { address: `127.0.0.1:${port}` })
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
