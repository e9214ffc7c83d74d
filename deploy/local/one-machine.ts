import { mkdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { type BrokerOptions, startBroker } from '@almanac/broker'
import {
  checkSparkSettings,
  type NodeOptions,
  openSpark,
  type RunningNode,
  type SparkSettings,
  sparkSettings,
  startNode,
} from '@almanac/model-api'
import {
  checkFilesSettings,
  checkMessagesSettings,
  countExternalMemory,
  createLogger,
  type FilesPlace,
  type FilesSettings,
  filesSettings,
  integer,
  isLoopback,
  type Logger,
  type MessagesSettings,
  messagesSettings,
  openEmbeddedCoordinator,
  openFiles,
  openMessages,
  openScratch,
  openSqliteStore,
  processSettings,
  type Settings,
  sparingly,
  systemClock,
  text,
} from '@almanac/shared'
import { createInProcessUpstream } from './in-process.ts'

export const oneMachineSettings = {
  port: integer({
    flag: 'port',
    env: 'ALMANAC_PORT',
    fallback: 5000,
    minimum: 0,
    maximum: 65_535,
    help: 'Where the API listens; 0 takes a free port.',
  }),
  host: text({
    flag: 'host',
    env: 'ALMANAC_HOST',
    shape: 'ADDRESS',
    fallback: '127.0.0.1',
    help: 'The address that the API listens on; anything but loopback is open to the network.',
  }),
  data: text({
    flag: 'data',
    env: 'ALMANAC_DATA',
    shape: 'DIR',
    fallback: './data',
    help: 'Where models and data sets are kept; one process at a time.',
  }),
  nodes: integer({
    flag: 'nodes',
    env: 'ALMANAC_NODES',
    fallback: 2,
    minimum: 1,
    maximum: 16,
    help: 'How many nodes fit and serve.',
  }),
  ...filesSettings,
  ...messagesSettings,
  ...sparkSettings,
  ...processSettings,
  logLevel: { ...processSettings.logLevel, fallback: 'warn' as const },
} as const

export type OneMachineSettings = Settings<typeof oneMachineSettings>

export function checkOneMachine(settings: OneMachineSettings): readonly string[] {
  const faults = [
    ...checkFilesSettings(settings),
    ...checkMessagesSettings(settings),
    ...checkSparkSettings(settings),
  ]
  if (!isLoopback(settings.host) && settings.token === null)
    faults.push(
      `--host ${settings.host} is open to the network: set ALMANAC_TOKEN (16 characters or more)`,
    )
  return faults
}

/** Runs until a signal; prints what to try. Ends the process with code 1 when it cannot start. */
export async function startOneMachine(settings: OneMachineSettings): Promise<void> {
  const logger = createLogger({ process: 'almanac', level: settings.logLevel })
  try {
    const machine = await openOneMachine(settings, logger)
    closeOnSignal(machine.close)
    process.stdout.write(welcome(machine.url, settings))
  } catch (error) {
    process.stderr.write(`Cannot start: ${startFault(error, settings)}\n`)
    process.exit(1)
  }
}

/** What nobody says of files, messages and Spark has its default. */
type MachineSettings = Omit<OneMachineSettings, keyof Beside> & Partial<Beside>
type Beside = FilesSettings & MessagesSettings & SparkSettings

/** What differs from the defaults; for tests that cannot wait a day. */
export type MachineChanges = {
  readonly broker?: Pick<BrokerOptions, 'bounds'>
  readonly node?: Pick<NodeOptions, 'timing' | 'fitWorkerFile' | 'answerCacheBytes'>
}

/** The whole of it in this process. Rejects, with nothing left open, when it cannot start. */
export async function openOneMachine(
  settings: MachineSettings,
  logger: Logger,
  changes: MachineChanges = {},
) {
  countExternalMemory()
  const folder = resolve(settings.data)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const opened: (() => Promise<void>)[] = []
  const closeAll = async () => {
    for (const close of opened.splice(0).reverse()) await close()
  }
  try {
    const coordinator = await openEmbeddedCoordinator({ path: join(folder, 'coordinator.sqlite') })
    opened.push(() => coordinator.close())
    const store = await openSqliteStore({ path: join(folder, 'store.sqlite') })
    opened.push(() => store.close())
    const filesPlace = filesOf(settings, folder)
    const files = await openFiles(filesPlace, logger, systemClock)
    opened.push(async () => await files?.close())
    const onEvent = sparingly(logger, systemClock)
    const scratch = await openScratch({ path: join(folder, 'scratch'), onEvent })
    opened.push(() => scratch.close())
    const messages = await openMessages(messagesOf(settings), folder, logger, systemClock)
    opened.push(async () => await messages?.close())
    const spark = await openSpark(sparkOf(settings, filesPlace), logger, systemClock)
    opened.push(async () => await spark?.close())
    const parts = { coordinator, store, files, logger, token: settings.token }
    const running = new Map<string, RunningNode>()
    // Sequential, so that what was opened is known when one of them fails.
    for (let i = 0; i < settings.nodes; i++) {
      const node = await startNode({
        ...{ ...parts, scratch, spark: spark?.run },
        ...nodeOnLoopback,
        ...changes.node,
      })
      opened.push(() => node.close())
      running.set(node.instance, node)
    }
    const { host, port } = settings
    const upstream = createInProcessUpstream(running)
    const ofBroker = { host, port, upstream, messages, filesPlace: filesPlace.files }
    const broker = await startBroker({ ...parts, ...ofBroker, ...changes.broker })
    opened.push(() => broker.close())
    return { url: broker.url, coordinator, store, close: closeAll }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Where nothing is said of them, files are beside the rest. */
function filesOf(settings: MachineSettings, folder: string): FilesSettings {
  const { filesEndpoint = null, fileMbMax = filesSettings.fileMbMax.fallback } = settings
  const beside: FilesPlace = { kind: 'folder', path: join(folder, 'files') }
  return { files: settings.files ?? beside, filesEndpoint, fileMbMax }
}

/** Where nothing is said of it, there is none. */
function sparkOf(settings: MachineSettings, files: FilesSettings): SparkSettings & FilesSettings {
  const { spark = null, sparkToken = null, sparkStage = null } = settings
  const { sparkOverMb = sparkSettings.sparkOverMb.fallback } = settings
  return { ...files, spark, sparkToken, sparkStage, sparkOverMb }
}

/** Where nothing is said of them, messages are in a log beside the rest. */
function messagesOf(settings: MachineSettings): MessagesSettings {
  const { messagesGroup = messagesSettings.messagesGroup.fallback } = settings
  const { messagesDeadLetters = null } = settings
  return { messages: settings.messages ?? { kind: 'embedded' }, messagesGroup, messagesDeadLetters }
}

const nodeOnLoopback = {
  host: '127.0.0.1',
  advertiseIp: '127.0.0.1',
  port: 0,
  roles: ['fit', 'serve'],
  fitWorkers: 1,
} as const

function closeOnSignal(close: () => Promise<void>): void {
  let closing = false
  const end = () => {
    // The second signal is a person who does not want to wait.
    if (closing) process.exit(130)
    closing = true
    void close().then(() => process.exit(0))
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
}

function startFault(error: unknown, settings: OneMachineSettings): string {
  const { code, message } = error as { code?: string; message: string }
  if (code === 'EADDRINUSE')
    return `port ${settings.port} is taken by another program. Choose another with --port.`
  if (code === 'EACCES')
    return `no permission for ${settings.data} or port ${settings.port}: ${message}`
  if (code === 'EADDRNOTAVAIL') return `${settings.host} is not an address of this machine.`
  return message
}

function welcome(url: string, settings: OneMachineSettings): string {
  const sample = relative('.', join(import.meta.dirname, '../../sample-data/'))
  const curl = `curl -H 'Content-type: application/json'`
  return `Almanac answers at ${url} (${settings.nodes} nodes, data in ${settings.data}).
Try:
  ${curl} -XPOST -i ${url}/api/fit_model -d@${sample}/melbourne-min-temperatures.json
  ${curl} -XGET -i ${url}/api/forecast/500
Stop it with Ctrl-C; models and data stay.
`
}
