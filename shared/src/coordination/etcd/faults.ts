import { Missing, Unavailable } from '../../base/errors.ts'

/**
 * An error of the client library in our terms. Whatever is not known to be an answer counts as
 * `Unavailable`, which promises nothing about what etcd did.
 */
export function faultOf(call: string, thrown: unknown): Error {
  const error = thrown instanceof Wrapped ? thrown.cause : thrown
  if (error instanceof Unavailable || error instanceof Missing) return error
  if (error instanceof Compacted) return error
  const message = messageOf(error)
  if (isInvalidLease(error) || message.includes('requested lease not found')) {
    return new Missing('the lease is not there', { cause: error })
  }
  if (message.includes('required revision has been compacted')) return new Compacted(message)
  return new Unavailable('coordinator', `etcd: ${call}: ${message}`, { cause: error })
}

/** By its name: the library is loaded only where there is an etcd. */
function isInvalidLease(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'EtcdLeaseInvalidError'
}

/** An error of the client library that the library itself must not act upon. */
export class Wrapped extends Error {
  override name = 'Wrapped'
  constructor(cause: unknown) {
    super(messageOf(cause), { cause })
  }
}

/** The revision asked for is no longer in the history. */
export class Compacted extends Error {
  override name = 'Compacted'
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
