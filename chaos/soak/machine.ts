/**
 * The one-process default, as `npm start` starts it, with ages that a test can wait for and a look
 * inside, at a port of its own: `GET /vitals` collects garbage first, then tells what is in use;
 * `GET /keys/{prefix}` only counts.
 */
import { createServer } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createLogger, parseKey } from '@almanac/shared'
import { type MachineChanges, openOneMachine } from '../../deploy/local/one-machine.ts'
import type { MachineVitals } from './vitals.ts'

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

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

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
const server = createServer((request, response) => {
  const prefix = /^\/keys(\/.*)$/.exec(request.url ?? '')?.[1]
  const answer = prefix ? countKeys(prefix) : vitals()
  answer
    .then((seen) => response.end(JSON.stringify(seen)))
    .catch((error: Error) => response.writeHead(500).end(error.message))
})
server.listen(vitalsPort, '127.0.0.1')
process.once('SIGTERM', () => void machine.close().then(() => process.exit(0)))

async function listed(prefix: string) {
  return (await machine.coordinator.list(prefix, AbortSignal.timeout(10_000))).entries
}

async function countKeys(prefix: string): Promise<number> {
  return (await listed(prefix)).length
}

async function vitals(): Promise<MachineVitals> {
  // Twice: what finalizers let go of in the first is freed in the second.
  collectGarbage()
  await new Promise((done) => setImmediate(done))
  collectGarbage()
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  const keys: Record<string, number> = {}
  for (const { key } of await listed('/')) {
    const { kind } = parseKey(key)
    keys[kind] = (keys[kind] ?? 0) + 1
  }
  const handles = process.getActiveResourcesInfo().length
  return {
    rssBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
    arrayBuffers,
    handles,
    keys,
  }
}
