import { networkInterfaces } from 'node:os'
import {
  countExternalMemory,
  createLogger,
  keepCompiled,
  openBackends,
  openFiles,
  openScratch,
  settingsOrExit,
  sparingly,
  stopOnSignals,
  systemClock,
} from '@almanac/shared'
import { advertisedIp } from '../config/advertised-ip.ts'
import { checkNodeSettings, type NodeSettings, nodeSettings, rolesOf } from '../config/settings.ts'
import { startNode } from '../server/node.ts'
import { openSpark } from './spark.ts'

const usage = 'model-api: a node of Almanac. Fits models, keeps them loaded, answers forecasts.'

countExternalMemory()
const settings = settingsOrExit(usage, nodeSettings, checkNodeSettings)
const logger = createLogger({ process: 'model-api', level: settings.logLevel })
await run(settings).catch((error) => {
  logger.fatal({ event: 'not-started', err: error })
  process.stderr.write(`Cannot start: ${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
})

async function run(settings: NodeSettings): Promise<void> {
  const { host, port, fitWorkers, fitMemoryMb, tableMemoryMb, token } = settings
  const advertiseIp = settings.advertise ?? advertisedIp(host, networkInterfaces())
  if (advertiseIp === undefined)
    throw new Error('no address for others to reach this node at: give one with --advertise')
  // A tenth of a second that later would be somebody's wait, for 20 MB.
  if (rolesOf(settings).includes('serve')) await import('apache-arrow')
  const files = await openFiles(settings, logger, systemClock)
  const onEvent = sparingly(logger, systemClock)
  const scratch = rolesOf(settings).includes('fit')
    ? await openScratch({ path: settings.scratch, onEvent })
    : undefined
  const { coordinator, store, close } = await openBackends(settings, logger, systemClock)
  const spark = await openSpark(settings, logger, systemClock)
  const closeAll = async () => {
    await Promise.allSettled([close(), files?.close(), scratch?.close(), spark?.close()])
  }
  const own = { host, port, advertiseIp, roles: rolesOf(settings), fitWorkers }
  const places = { files, scratch }
  const memory = {
    ...{ fitMemoryMb, tableMemoryMb },
    shardMemoryBytes: settings.shardMemoryMb * 1_048_576,
  }
  const node = await startNode({
    ...{ coordinator, store, ...places, spark: spark?.run, logger, token },
    ...own,
    ...memory,
  })
  // Before anybody is told that it runs: whoever reads that may end it at once.
  stopOnSignals(node, closeAll, logger)
  logger.info({ event: 'listening', url: node.url, advertiseIp, instance: node.instance })
  keepCompiled()
}
