import {
  type FilePrediction,
  type FilePredictionResult,
  type Files,
  Missing,
  NameTaken,
  Stalled,
  TooLarge,
  Unavailable,
} from '@almanac/shared'
import type { FileReader } from '../../base/context.ts'
import {
  NotPredictable,
  type PredictThread,
  startPredictThread,
  ThreadEnded,
} from './predict-thread.ts'
import { NotUnpacked, unpacked } from './unpacked.ts'

export type PredictFileWork = {
  readonly prediction: FilePrediction
  readonly model: Uint8Array
  /** How far it is: kept up to date. */
  readonly told: { fraction: number; rows: number }
  /** Called before the file takes its place. Rejects where somebody else has the job. */
  readonly mustStand: () => Promise<void>
  readonly signal: AbortSignal
}

export type PredictedFile =
  | { readonly kind: 'made'; readonly result: FilePredictionResult }
  /** The file is to be mended, or another one named. */
  | { readonly kind: 'refused'; readonly reason: string; readonly detail: string }
  /** The thread that predicted ended; another try may go better. */
  | { readonly kind: 'crashed'; readonly detail: string }

/**
 * Predicts the rows of a CSV into another one, in a thread of its own and in constant memory. The
 * file that it makes is there as a whole or not at all. Rejects with `Unavailable` where the files
 * are away, then nothing was left, and with the signal's reason.
 */
export async function predictFile(
  files: FileReader | undefined,
  work: PredictFileWork,
): Promise<PredictedFile> {
  const { read, write } = files ?? {}
  if (read === undefined || write === undefined)
    return refused(
      'no-files',
      'This node has no files: it was started without the setting for them.',
    )
  const thread = startPredictThread({ model: work.model, bounds: work.prediction.model.bounds })
  try {
    return await predict({ read, write }, work, thread)
  } catch (error) {
    work.signal.throwIfAborted()
    return outcomeOf(error, work.prediction)
  } finally {
    await thread.end()
  }
}

async function predict(
  files: Pick<Files, 'read' | 'write'>,
  { prediction, told, mustStand, signal }: PredictFileWork,
  thread: PredictThread,
): Promise<PredictedFile> {
  const { info, content } = await files.read(prediction.file, signal)
  if (info.etag !== prediction.etag) {
    await content.return?.()
    return refused('file-changed', `${prediction.file} is not what it was when it was asked for.`)
  }
  let readBytes = 0
  const counted = async function* () {
    for await (const chunk of content) {
      readBytes += chunk.byteLength
      yield chunk
    }
  }
  const answers = async function* () {
    for await (const text of answersOf(thread, unpacked(counted()))) {
      told.fraction = info.sizeBytes === 0 ? 1 : readBytes / info.sizeBytes
      told.rows = thread.counts().rows
      if (text.byteLength > 0) yield text
    }
    await mustStand()
  }
  const { sizeBytes, sha256 } = await files.write(prediction.into, answers(), signal)
  const { unpredicted, ...counts } = thread.counts()
  const result = { ...counts, unpredicted: [...unpredicted], sizeBytes, sha256 }
  return { kind: 'made', result }
}

/** While one answer is written the next one is worked out. */
async function* answersOf(
  thread: PredictThread,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let ahead: Promise<Uint8Array> | undefined
  for await (const piece of pieces) {
    const text = await ahead
    ahead = thread.push(piece)
    // Who takes it is told when it is their turn.
    ahead.catch(() => {})
    if (text) yield text
  }
  if (ahead) yield await ahead
  yield await thread.finish()
}

/** What a node can do about it, or nobody. */
function outcomeOf(error: unknown, { file, into }: FilePrediction): PredictedFile {
  if (error instanceof NotPredictable) return refused(error.code, error.message)
  if (error instanceof ThreadEnded) return { kind: 'crashed', detail: error.message }
  if (error instanceof Missing) return refused('no-file', `There is no file ${file} any more.`)
  if (error instanceof NotUnpacked) return refused('not-unpacked', `${file}: ${error.message}`)
  if (error instanceof NameTaken) return refused('name-taken', `${error.message}.`)
  if (error instanceof TooLarge)
    return refused('too-large', `${into} would have ${error.message}: predict a part of the rows.`)
  // The place that it is read from was slow, or the coordinator.
  if (error instanceof Stalled) throw new Unavailable('files', error.message, { cause: error })
  throw error
}

const refused = (reason: string, detail: string) => ({ kind: 'refused', reason, detail }) as const
