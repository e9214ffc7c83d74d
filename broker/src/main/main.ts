import {
  countExternalMemory,
  createLogger,
  keepCompiled,
  openBackends,
  openFiles,
  openMessages,
  settingsOrExit,
  stopOnSignals,
  systemClock,
} from '@almanac/shared'
import { type BrokerSettings, brokerSettings, checkSettings, usage } from '../config/settings.ts'
import { startBroker } from '../server/broker.ts'

countExternalMemory()
const settings = settingsOrExit(usage, brokerSettings, checkSettings)
const logger = createLogger({ process: 'broker', level: settings.logLevel })
await run(settings).catch((error) => {
  logger.fatal({ event: 'not-started', err: error })
  process.stderr.write(`Cannot start: ${faultOf(error)}\n`)
  process.exit(1)
})

async function run(settings: BrokerSettings): Promise<void> {
  const { host, port, token, allowedHosts } = settings
  const files = await openFiles(settings, logger, systemClock)
  // The folder is for a log that brokers of a cluster do not have.
  const messages = await openMessages(settings, '.', logger, systemClock)
  const { coordinator, store, close } = await openBackends(settings, logger, systemClock)
  const closeAll = async () => {
    await Promise.allSettled([close(), files?.close(), messages?.close()])
  }
  const bounds = { responseCacheBytes: settings.responseCacheMb * 1_048_576 }
  const own = { host, port, logger, token, allowedHosts, bounds }
  const parts = { coordinator, store, files, filesPlace: settings.files, messages }
  const broker = await startBroker({ ...parts, ...own })
  // Before anybody is told that it runs: whoever reads that may end it at once.
  stopOnSignals(broker, closeAll, logger)
  logger.info({ event: 'broker-listening', url: broker.url })
  keepCompiled()
}

function faultOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  if (code === 'EADDRINUSE') return `port ${settings.port} is taken by another program.`
  if (code === 'EADDRNOTAVAIL') return `${settings.host} is not an address of this machine.`
  return message ?? String(error)
}
