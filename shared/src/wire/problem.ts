import { type Static, Type } from 'typebox'

/** An RFC 9457 problem document. `type` is stable; programs may switch on it. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  /** The field at fault, as a JSON pointer into the body or the name of a parameter. */
  field: Type.Optional(Type.String()),
  /** What to do about it. */
  remedy: Type.Optional(Type.String()),
  requestId: Type.Optional(Type.String()),
})
export type Problem = Static<typeof Problem>

export const problemContentType = 'application/problem+json'

/**
 * A refused request on its way to the one place that turns errors into problem documents.
 * `code` is the last part of the document's `type`: `urn:almanac:problem:{code}`.
 */
export class Refused extends Error {
  override name = 'Refused'
  readonly status: number
  readonly code: string
  readonly field: string | undefined
  readonly remedy: string | undefined
  readonly retryAfterSeconds: number | undefined
  constructor(
    status: number,
    code: string,
    detail: string,
    more: { field?: string; remedy?: string; retryAfterSeconds?: number } = {},
  ) {
    super(detail)
    this.status = status
    this.code = code
    this.field = more.field
    this.remedy = more.remedy
    this.retryAfterSeconds = more.retryAfterSeconds
  }
}

const titles: Record<number, string> = {
  400: 'The request is not well-formed',
  401: 'The request carries no valid token',
  403: 'The request is not allowed',
  404: 'There is no such thing',
  405: 'The method is not allowed here',
  406: 'None of the accepted formats can be given',
  408: 'The request took too long to arrive',
  409: 'The request conflicts with the present state',
  410: 'It is gone',
  413: 'The body is too large',
  414: 'The path is too long',
  415: 'The content type is not supported',
  417: 'The expectation cannot be met',
  421: 'This is not the process that you mean',
  422: 'The content cannot be processed',
  429: 'There is too much to do at present',
  431: 'The headers are too large',
  500: 'Something is wrong on our side',
  502: 'A node gave no valid answer',
  503: 'Not available at present',
  504: 'It took too long',
}

/** A refusal quotes what was sent, and is not to be as long as that. */
const detailCharactersMax = 2_000
const fieldCharactersMax = 300

export function problemOf(error: Refused, requestId: string): Problem {
  return {
    type: `urn:almanac:problem:${error.code}`,
    title: titles[error.status] ?? 'The request failed',
    status: error.status,
    detail: error.message.slice(0, detailCharactersMax),
    ...(error.field === undefined ? {} : { field: error.field.slice(0, fieldCharactersMax) }),
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    requestId,
  }
}
