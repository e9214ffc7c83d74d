/** The thread in which large bodies are read, so that forecasts do not wait for them. */
import { parentPort } from 'node:worker_threads'
import { assert } from '@almanac/shared'
import { type BodyTask, bodyTasks, buffersOf } from './body-tasks.ts'

assert(parentPort !== null, 'this file is run as a thread')
const port = parentPort

type Question = { readonly id: number; readonly task: BodyTask; readonly args: readonly unknown[] }

port.on('message', ({ id, task, args }: Question) => {
  const run = bodyTasks[task] as (...given: readonly unknown[]) => Parameters<typeof buffersOf>[0]
  const made = run(...args)
  port.postMessage({ id, made }, buffersOf(made))
})
