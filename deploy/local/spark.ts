import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { answersTo, spawnServer } from './child.ts'
import { freePort } from './process.ts'
import { type LocalServer, startServer } from './server.ts'
import { bucketSettings, type SparkBuckets } from './spark/buckets.ts'
import { installSpark } from './spark/install.ts'

export type SparkOptions = {
  /** For its log and what does not fit in memory; nothing in it outlives a start. */
  readonly dataDir: string
  /** Whose buckets are `s3a://` there; without them Spark sees this machine's folders alone. */
  readonly buckets?: SparkBuckets
  /** What it asks of all who call it. */
  readonly token?: string
}

/** One server of Spark Connect, which does the work itself. */
export interface Spark extends LocalServer {
  /** `host:port` */
  readonly address: string
}

const startTimeoutMs = 180_000
const stopTimeoutMs = 15_000
const connectServer = 'org.apache.spark.sql.connect.service.SparkConnectServer'

/**
 * Starts a real Spark Connect on loopback, without containers, and resolves when it answers, after
 * some 15 s. The first start on a machine fetches 430 MB through pip into `$ALMANAC_CACHE` (default
 * `~/.cache/almanac`). Rejects with what to do when Java or Python are missing, and with the end of
 * the log when it does not come up.
 */
export async function startSpark(options: SparkOptions): Promise<Spark> {
  const dataDir = resolve(options.dataDir)
  const home = await installSpark()
  await mkdir(dataDir, { recursive: true })
  const port = await freePort()
  const logFile = join(dataDir, 'spark.log')
  const buckets = options.buckets && (await bucketSettings(options.buckets))
  const lock = options.token ? { SPARK_CONNECT_AUTHENTICATE_TOKEN: options.token } : {}
  const own = { SPARK_HOME: home, SPARK_LOCAL_IP: '127.0.0.1', ...lock }
  const env = { ...process.env, ...own, ...buckets?.env }
  const given = settings(dataDir, port, buckets?.confs)
  const args = ['--class', connectServer, '--name', 'almanac', ...given]
  const submit = [join(home, 'bin', 'spark-submit'), ...args, 'spark-internal']
  const spawn = () => spawnServer('bash', submit, { cwd: dataDir, env, logFile })
  const isUp = () => answers(port)
  const how = { name: 'Spark', logFile, spawn, isUp, startTimeoutMs, stopTimeoutMs, everyMs: 200 }
  return await startServer(how, { address: `127.0.0.1:${port}` })
}

/** Some 700 MB in all, and as many threads as a small machine has. */
function settings(dataDir: string, port: number, more: object = {}): readonly string[] {
  const confs = {
    'spark.connect.grpc.binding.address': '127.0.0.1',
    'spark.connect.grpc.binding.port': port,
    // Short queries, of which most is compiled once and never again.
    'spark.driver.extraJavaOptions': '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
    'spark.local.dir': join(dataDir, 'local'),
    'spark.log.level': 'WARN',
    'spark.sql.shuffle.partitions': 2,
    'spark.sql.warehouse.dir': join(dataDir, 'warehouse'),
    'spark.ui.enabled': false,
    ...more,
  }
  const given = Object.entries(confs).flatMap(([name, value]) => ['--conf', `${name}=${value}`])
  return ['--master', 'local[2]', '--driver-memory', '1g', ...given]
}

/** Whether it speaks HTTP/2, as gRPC does: it answers a preface and empty settings by its own. */
const answers = (port: number) =>
  answersTo(port, `${Buffer.from(preface).toString('hex')}000000040000000000`, (answer) => {
    const settingsFrame = 4
    return answer[3] === settingsFrame
  })
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
