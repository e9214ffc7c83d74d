import { Refused } from '@almanac/shared'
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
 * Tells that a file was uploaded and stored, so that it is trained on. Never rejects: trouble in
 * training is none of the upload.
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
    const message = 'The file is stored, and not trained on. POST /train does that later.'
    return { message, problem: { code, detail } }
  }
}
