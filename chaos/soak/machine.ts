/**
 * The one-process default, as `npm start` starts it, with ages that a test can wait for and a look
 * inside at a port of its own, which also tells of the coordinator: `GET /keys/{prefix}` counts,
 * `GET /kinds` counts by kind.
 */
import { createLogger } from '@almanac/shared'
import { type MachineChanges, openOneMachine } from '../../deploy/local/one-machine.ts'
import { keysByKind } from './keys.ts'
import { serveVitals } from './vitals-server.ts'

export type MachineOrder = {
  readonly port: number
  readonly vitalsPort: number
  readonly data: string
  readonly nodes: number
  readonly bounds?: NonNullable<MachineChanges['broker']>['bounds']
  /** Of each node. */
  readonly answerCacheBytes?: number
  /** Relative to this file. */
  readonly fitWorkerFile?: string
}

const order = JSON.parse(process.argv[2] ?? '{}') as MachineOrder
const { port, vitalsPort, data, nodes, bounds, fitWorkerFile } = order
const logger = createLogger({ process: 'almanac', level: 'warn' })
const { answerCacheBytes } = order
const caches = answerCacheBytes === undefined ? {} : { answerCacheBytes }
const workerFile = fitWorkerFile && new URL(fitWorkerFile, import.meta.url)
const machine = await openOneMachine(
  { port, host: '127.0.0.1', data, nodes, token: null, logLevel: 'warn' },
  logger,
  {
    broker: bounds ? { bounds } : {},
    node: { ...caches, ...(workerFile ? { fitWorkerFile: workerFile } : {}) },
  },
)
serveVitals(vitalsPort, (path) => {
  if (path === '/kinds') return keysByKind(machine.coordinator)
  const prefix = /^\/keys(\/.*)$/.exec(path)?.[1]
  return prefix ? countKeys(prefix) : undefined
})
process.once('SIGTERM', () => void machine.close().then(() => process.exit(0)))

async function countKeys(prefix: string): Promise<number> {
  return (await machine.coordinator.list(prefix, AbortSignal.timeout(10_000))).entries.length
}
