import './world/globals.ts'
import { parentPort } from 'node:worker_threads'
import { unreachable } from '@almanac/shared'
import type { Answer, Question } from './crew.ts'
import { stepsOf } from './every-step.ts'
import { runSeeds, runStrikes, shrunk } from './work.ts'
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
  // Stacks are dear, and of use only to who looks at a single schedule.
  Error.stackTraceLimit = question.kind === 'shrink' ? 10 : 0
  switch (question.kind) {
    case 'run':
      return { kind: 'ran', ...runSeeds(question.seeds, question.mutant) }
    case 'strike':
      return { kind: 'ran', ...runStrikes(question.strikes) }
    case 'steps':
      return { kind: 'steps', steps: stepsOf(question.seed) }
    case 'shrink':
      return { kind: 'shrunk', ...shrunk(question.seed, question.mutant) }
    default:
      return unreachable(question)
  }
}
