/**
 * A thread that lives for one large model: bytes in, the model out. Nothing is copied on the way,
 * so that whoever waits for it answers forecasts meanwhile.
 */
import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { decodeModel } from '@almanac/engine'
import { buffersOf } from './buffers.ts'
import type { DecodeReply } from './decode-aside.ts'

const { bytes } = workerData as { bytes: Uint8Array }
const sha256 = createHash('sha256').update(bytes).digest('hex')
const decoded = decodeModel(bytes)
const reply: DecodeReply =
  decoded.kind === 'refused'
    ? { kind: 'refused', sha256, reason: decoded.reason }
    : { kind: 'model', sha256, model: decoded.value }
parentPort?.postMessage(reply, reply.kind === 'model' ? buffersOf(reply.model) : [])
