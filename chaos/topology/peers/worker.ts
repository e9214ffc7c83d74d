import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { peerProxy } from './proxy.ts'
import type { PeerProxyPlan } from './start.ts'

const plans = workerData as readonly PeerProxyPlan[]
for (const { port, ways } of plans)
  await once(peerProxy(ways).listen(port, '127.0.0.1'), 'listening')
parentPort?.postMessage('listening')
