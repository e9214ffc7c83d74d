import { Refused } from '@almanac/shared'
import { isFinal } from '../../messages/handle-message.ts'
import type { ApiParts } from '../parts.ts'
import { trainPipeline } from './pipeline.ts'

/** What became of the wish to train on a file: a job, or why there is none. */
type Announced =
  | { readonly message: string; readonly job: string; readonly model: string }
  | {
      readonly message: string
      readonly problem: { readonly code: string; readonly detail: string }
    }

/**
 * Tells that a file was uploaded and stored, so that it is trained on. What stands in the way of
 * that for a while is outlasted by a message, where there is a place for them; in doubt the file is
 * trained on twice. Never rejects: trouble in training is none of the upload.
 */
export async function announceUpload(
  parts: ApiParts,
  { name }: { readonly name: string; readonly url: string },
  requestId: string,
): Promise<Announced> {
  try {
    const { job, model } = await trainPipeline(parts, name, requestId)
    return { message: 'The file is stored, and training has begun.', job, model }
  } catch (error) {
    const known = error instanceof Refused
    if (!known) parts.logger.warn({ event: 'upload-not-trained', name, requestId, err: error })
    const detail = known ? error.message : 'Training cannot be begun at present.'
    const code = known ? error.code : 'not-begun'
    const isLeft = !(known && isFinal(error)) && (await leaveMessage(parts, name, requestId))
    return { message: isLeft ? later : notTrained, problem: { code, detail } }
  }
}

const later = 'The file is stored. It is trained on as soon as that can be: a message asks for it.'
const notTrained = 'The file is stored, and not trained on. POST /train does that later.'

async function leaveMessage(parts: ApiParts, name: string, requestId: string): Promise<boolean> {
  if (parts.messages === undefined) return false
  try {
    const origin = await parts.announce(name, AbortSignal.timeout(parts.bounds.messageCallMs))
    parts.logger.info({ event: 'upload-announced', name, requestId, ...origin })
    return true
  } catch (error) {
    parts.logger.warn({ event: 'upload-not-announced', name, requestId, err: error })
    return false
  }
}
