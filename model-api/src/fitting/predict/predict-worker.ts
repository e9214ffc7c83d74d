/** A thread that lives for one prediction from file to file: pieces of CSV in, pieces out. */
import { parentPort, workerData } from 'node:worker_threads'
import { type AnsweredPiece, answerCsv, decodeRegression } from '@almanac/tables/regress'
import type { PredictAnswer, PredictQuestion, PredictThreadData } from './predict-thread.ts'

const { model: bytes, bounds } = workerData as PredictThreadData
const model = decodeRegression(bytes)
const answers = 'fault' in model ? undefined : answerCsv(model, bounds)

parentPort?.on('message', (question: PredictQuestion) => {
  const piece = answered(question)
  if (piece.kind === 'fault') return parentPort?.postMessage(piece satisfies PredictAnswer)
  const text = new TextEncoder().encode(piece.text)
  const answer: PredictAnswer = { kind: 'text', text, counts: answers!.counts() }
  parentPort?.postMessage(answer, [text.buffer])
})

function answered(question: PredictQuestion): AnsweredPiece {
  if (answers === undefined || 'fault' in model) {
    const detail = 'fault' in model ? model.fault : ''
    return { kind: 'fault', code: 'no-regression', detail: `The model cannot be read: ${detail}` }
  }
  if (question === null) return answers.end()
  const { buffer, byteOffset, byteLength } = question
  return answers.push(Buffer.from(buffer, byteOffset, byteLength))
}
