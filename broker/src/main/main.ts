import {
  assert,
  createLogger,
  type Logger,
  limits,
  openCqlStore,
  openEtcdCoordinator,
  settingsOrExit,
} from '@almanac/shared'
import { type BrokerSettings, brokerSettings, checkSettings, usage } from '../config/settings.ts'
import { type Broker, startBroker } from '../server/broker.ts'

const settings = settingsOrExit(usage, brokerSettings, checkSettings)
const logger = createLogger({ process: 'broker', level: settings.logLevel })
await run(settings).catch((error) => {
  logger.fatal({ event: 'not-started', err: error })
  process.stderr.write(`Cannot start: ${faultOf(error)}\n`)
  process.exit(1)
})

async function run(settings: BrokerSettings): Promise<void> {
  const { etcd, cql, host, port, token, allowedHosts, cqlUser, cqlPassword } = settings
  assert(etcd && cql, 'checked with the settings')
  const tell = (name: string, fields: Readonly<Record<string, unknown>>) =>
    logger.debug({ event: name, ...fields })
  const coordinator = await openEtcdCoordinator({
    endpoints: etcd.map((address) => (address.includes('://') ? address : `http://${address}`)),
    prefix: settings.etcdPrefix,
  })
  const store = await openCqlStore({
    contactPoints: cql.map((address) => address.replace(/^https?:\/\//, '')),
    localDataCenter: settings.cqlDataCenter,
    keyspace: settings.cqlKeyspace,
    replicationFactor: settings.cqlReplication,
    onEvent: tell,
    ...(cqlUser !== null && cqlPassword !== null
      ? { credentials: { username: cqlUser, password: cqlPassword } }
      : {}),
  })
  const bounds = { responseCacheBytes: settings.responseCacheMb * 1_048_576 }
  const own = { host, port, logger, token, allowedHosts, bounds }
  const broker = await startBroker({ coordinator, store, ...own })
  stopOnSignals(broker, logger, async () => {
    await Promise.allSettled([coordinator.close(), store.close()])
  })
}

/** For closing connections after a drain that took all its time. */
const exitMs = 2_000

/** The first signal drains, the second ends at once. */
function stopOnSignals(broker: Broker, logger: Logger, close: () => Promise<void>): void {
  let isAsked = false
  const stop = (signal: NodeJS.Signals) => {
    if (isAsked) process.exit(130)
    isAsked = true
    logger.info({ event: 'stopping', signal })
    // Whatever hangs, the process ends by then.
    const mostMs = limits.drainAnswerMs + limits.drainMs + exitMs
    setTimeout(() => process.exit(1), mostMs).unref()
    broker
      .drain()
      .then(close)
      .then(
        () => process.exit(0),
        (error) => {
          logger.error({ event: 'stopped-badly', err: error })
          process.exit(1)
        },
      )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

function faultOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  if (code === 'EADDRINUSE') return `port ${settings.port} is taken by another program.`
  if (code === 'EADDRNOTAVAIL') return `${settings.host} is not an address of this machine.`
  return message ?? String(error)
}
