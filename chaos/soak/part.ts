/**
 * A broker or a node of a cluster, with ages that a test can wait for and a look inside at a port
 * of its own.
 */
import {
  backendSettings,
  countExternalMemory,
  createLogger,
  openBackends,
  settingsOrExit,
  systemClock,
} from '@almanac/shared'
import { startBroker } from '../../broker/src/index.ts'
import { startNode } from '../../model-api/src/index.ts'
import { soakAnswerCacheBytes, soakBounds } from './site.ts'
import { serveVitals } from './vitals-server.ts'

export type PartOrder = {
  readonly kind: 'broker' | 'node'
  readonly port: number
  readonly vitalsPort: number
}

countExternalMemory()
const { kind, port, vitalsPort } = JSON.parse(process.argv[2] ?? '{}') as PartOrder
const settings = settingsOrExit('A part of a cluster in a soak.', backendSettings, () => [], [])
const logger = createLogger({ process: kind, level: 'warn' })
const { coordinator, store, close } = await openBackends(settings, logger, systemClock)
const own = { coordinator, store, logger, token: null, host: '127.0.0.1', port }
const part =
  kind === 'broker'
    ? await startBroker({ ...own, allowedHosts: null, bounds: soakBounds })
    : await startNode({
        ...{ ...own, advertiseIp: own.host, roles: ['fit', 'serve'], fitWorkers: 1 },
        answerCacheBytes: soakAnswerCacheBytes,
      })
serveVitals(vitalsPort)
process.once('SIGTERM', () => {
  void part
    .close()
    .then(close)
    .then(() => process.exit(0))
})
