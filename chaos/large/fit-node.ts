/** A node of a cluster that only fits, with the fitting thread that makes models of any size. */
import {
  createLogger,
  openBackends,
  settingsOrExit,
  stopOnSignals,
  systemClock,
} from '@almanac/shared'
import { nodeSettings } from '../../model-api/src/config/settings.ts'
import { startNode } from '../../model-api/src/index.ts'

const settings = settingsOrExit('A node for tests that only fits.', nodeSettings, () => [])
const logger = createLogger({ process: 'fit-node', level: settings.logLevel })
const { coordinator, store, close } = await openBackends(settings, logger, systemClock)
const node = await startNode({
  ...{ coordinator, store, logger, token: null, roles: ['fit'], fitWorkers: 1 },
  ...{ host: settings.host, port: settings.port, advertiseIp: settings.host },
  fitWorkerFile: new URL('./padded-fit-worker.ts', import.meta.url),
})
stopOnSignals(node, close, logger)
