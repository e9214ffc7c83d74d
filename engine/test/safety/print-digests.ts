import { parentPort } from 'node:worker_threads'
import { digests } from './digests.ts'

const found = digests()
if (parentPort === null) process.stdout.write(JSON.stringify(found))
else parentPort.postMessage(found)
