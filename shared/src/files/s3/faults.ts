import { S3ServiceException } from '@aws-sdk/client-s3'
import { NameTaken, Unavailable } from '../../base/errors.ts'

export function isAbsence(error: unknown): boolean {
  return error instanceof S3ServiceException && ['NoSuchKey', 'NotFound'].includes(error.name)
}

/** Where nobody gave up, whatever went wrong is an outage: of the network or the store's. */
export function unavailable(error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason
  return new Unavailable('files', `the object store: ${wordsOf(error)}`, { cause: error })
}

/** Some stores are folders underneath. */
export function refusalOfPlace(name: string, error: unknown): unknown {
  if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 409)
    return new NameTaken(`${name} is a folder, or needs one where a file is`)
  return unavailable(error)
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { name, message } = error
  return message === '' || message === 'UnknownError' ? name : `${name}: ${message}`
}
