import './world/globals.ts'
import { parentPort } from 'node:worker_threads'
import type { Answer, Question } from './crew.ts'
import { runSeeds, shrunk } from './work.ts'
import { worldNow } from './world/globals.ts'
import { canDrain } from './world/world.ts'

if (parentPort === null) throw new Error('this file is run by a thread, not by a process')
const parent = parentPort

// A rejection that nobody handles would end a process of the system.
process.on('unhandledRejection', (reason) => {
  const world = worldNow()
  if (world === undefined) throw reason
  world.report('unhandled rejection', reason)
})

parent.on('message', (question: Question) => {
  if (!canDrain()) throw new Error('promises cannot be settled at once on this Node')
  parent.postMessage(answerTo(question))
})

function answerTo(question: Question): Answer {
  if (question.kind === 'shrink') {
    return { kind: 'shrunk', ...shrunk(question.seed, question.mutant) }
  }
  // Stacks are dear, and of use only to who looks at a single schedule.
  Error.stackTraceLimit = 0
  return { kind: 'ran', ...runSeeds(question.seeds, question.mutant) }
}
