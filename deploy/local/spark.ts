import type { ChildProcess } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { answersTo, endChild, isRunning, spawnServer, untilUp } from './child.ts'
import { freePort } from './process.ts'
import { installSpark } from './spark/install.ts'

export type SparkOptions = {
  /** For its log and what does not fit in memory; nothing in it outlives a start. */
  readonly dataDir: string
}

/** One server of Spark Connect, which does the work itself. */
export interface Spark {
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
  const env = { ...process.env, SPARK_HOME: home, SPARK_LOCAL_IP: '127.0.0.1' }
  const args = ['--class', connectServer, '--name', 'almanac', ...settings(dataDir, port)]
  let child: ChildProcess | undefined
  const alive = () => (child && isRunning(child) ? child : undefined)
  const start = async () => {
    if (alive()) return
    const submit = join(home, 'bin', 'spark-submit')
    const how = { cwd: dataDir, env, logFile }
    child = await spawnServer('bash', [submit, ...args, 'spark-internal'], how)
    const isUp = () => answers(port)
    const timeoutMs = startTimeoutMs
    await untilUp(child, { name: 'Spark', logFile, isUp, timeoutMs, everyMs: 200 })
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

/** Some 700 MB in all, and as many threads as a small machine has. */
function settings(dataDir: string, port: number): readonly string[] {
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
