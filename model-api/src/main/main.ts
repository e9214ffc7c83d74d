import { networkInterfaces } from 'node:os'
import {
  assert,
  createLogger,
  type Logger,
  limits,
  openCqlStore,
  openEtcdCoordinator,
  settingsOrExit,
} from '@almanac/shared'
import { advertisedIp } from '../config/advertised-ip.ts'
import { checkNodeSettings, type NodeSettings, nodeSettings, rolesOf } from '../config/settings.ts'
import { type RunningNode, startNode } from '../server/node.ts'

const usage = 'model-api: a node of Almanac. Fits models, keeps them loaded, answers forecasts.'

const settings = settingsOrExit(usage, nodeSettings, checkNodeSettings)
const logger = createLogger({ process: 'model-api', level: settings.logLevel })
await run(settings).catch((error) => {
  logger.fatal({ event: 'not-started', err: error })
  process.stderr.write(`Cannot start: ${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
})

async function run(settings: NodeSettings): Promise<void> {
  const { etcd, cql, host, port, cqlUser, cqlPassword } = settings
  assert(etcd && cql, 'checked with the settings')
  const advertiseIp = settings.advertise ?? advertisedIp(host, networkInterfaces())
  if (advertiseIp === undefined)
    throw new Error('no address for others to reach this node at: give one with --advertise')
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
  const node = await startNode({
    coordinator,
    store,
    host,
    port,
    advertiseIp,
    roles: rolesOf(settings),
    fitWorkers: settings.fitWorkers,
    fitMemoryMb: settings.fitMemoryMb,
    logger,
    token: settings.token,
  })
  logger.info({ event: 'listening', url: node.url, advertiseIp, instance: node.instance })
  stopOnSignals(node, logger, async () => {
    await Promise.allSettled([coordinator.close(), store.close()])
  })
}

/** The first signal drains, the second ends at once. */
function stopOnSignals(node: RunningNode, logger: Logger, close: () => Promise<void>): void {
  let asked = false
  const stop = (signal: NodeJS.Signals) => {
    if (asked) process.exit(130)
    asked = true
    logger.info({ event: 'stopping', signal })
    // Whatever hangs, the process ends by then.
    setTimeout(() => process.exit(1), limits.drainMs + exitMs).unref()
    node
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

/** For closing connections after a drain that took all its time. */
const exitMs = 2_000
