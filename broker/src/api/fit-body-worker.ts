/** The thread in which large fit bodies are read, so that forecasts do not wait for them. */
import { parentPort } from 'node:worker_threads'
import { assert } from '@almanac/shared'
import { buffersOf, readFitBody } from './fit-body.ts'

assert(parentPort !== null, 'this file is run as a thread')
const port = parentPort

port.on('message', ({ id, bytes }: { id: number; bytes: Uint8Array<ArrayBuffer> }) => {
  const body = readFitBody(bytes)
  port.postMessage({ id, body }, body.kind === 'fit' ? buffersOf(body) : [])
})
