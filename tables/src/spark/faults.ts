import type { ServiceError } from '@grpc/grpc-js'

/**
 * Why Spark did not do what it was asked. Lost: the connection; what was asked may go on. Away: it
 * has forgotten the session, as one that has started anew. After both the same may go well later.
 * Refused: it does not understand a query, or finds no such table or file; that query fails again.
 * Failed: all else, as an executor that was lost too often.
 */
export class SparkFault extends Error {
  override name = 'SparkFault'
  readonly kind: 'lost' | 'away' | 'refused' | 'failed'

  constructor(kind: SparkFault['kind'], detail: string) {
    super(detail)
    this.kind = kind
  }
}

/** What a call ended with, in our words. */
export function sparkFault({ code, details }: Pick<ServiceError, 'code' | 'details'>): SparkFault {
  const said = details.replace(/\s+/g, ' ').trim().slice(0, saidCharacters)
  if (lostCodes.has(code) || /^Received RST_STREAM/.test(details))
    return new SparkFault('lost', `Spark cannot be reached, or does not answer: ${said}`)
  if (code === unauthenticated)
    return new SparkFault('failed', `Spark does not take the token of this node: ${said}`)
  if (/^\[INVALID_HANDLE\b/.test(details))
    return new SparkFault('away', `Spark has forgotten what was begun: ${said}`)
  return /SQLSTATE: 42|^\[TABLE_OR_VIEW_NOT_FOUND\]|^\s*\[PARSE_SYNTAX_ERROR\]/.test(details)
    ? new SparkFault('refused', `Spark does not take the query: ${said}`)
    : new SparkFault('failed', `Spark failed: ${said}`)
}

const saidCharacters = 1_000

/** Without a token, or with another one than it knows. */
const unauthenticated = 16

/** By their numbers in gRPC, so that errors are understood without loading it. */
const lostCodes: ReadonlySet<number> = new Set([
  1, // cancelled, and not by us: a server that is ending does so
  4, // deadline exceeded
  8, // resource exhausted: too many calls
  14, // unavailable
])
