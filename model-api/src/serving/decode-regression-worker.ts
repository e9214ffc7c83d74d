/** A thread that lives for one large regression: bytes in, the model out. */
import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { decodeRegression } from '@almanac/tables/regress'
import { buffersOf } from './buffers.ts'
import type { RegressionReply } from './decode-aside.ts'

const { bytes } = workerData as { bytes: Uint8Array }
const sha256 = createHash('sha256').update(bytes).digest('hex')
const reply: RegressionReply = { sha256, decoded: decodeRegression(bytes) }
parentPort?.postMessage(reply, buffersOf(reply.decoded))
