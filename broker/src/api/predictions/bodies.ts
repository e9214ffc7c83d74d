import { Readable } from 'node:stream'
import { Refused } from '@almanac/shared'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BadForm, formFiles } from '../form-files.ts'

/** Bodies are kept as their bytes, with the type that says what they are. */
export function takeRawBodies(server: FastifyInstance, types: readonly string[]): void {
  server.removeAllContentTypeParsers()
  for (const type of types)
    server.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
}

export const csvTypes = ['text/csv', 'multipart/form-data']

/** The type of a body without its parameters; none where there is no body. */
export function typeOf({ headers }: FastifyRequest): string {
  return (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
}

/** The CSV of a body: all of it, or the one file of a form. Throws a 400 where there is none. */
export async function csvOf(request: FastifyRequest): Promise<Buffer> {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  if (bytes.byteLength === 0)
    throw new Refused(400, 'no-body', 'The body is empty.', {
      remedy: "Send CSV, as curl --data-binary @rows.csv -H 'content-type: text/csv' does.",
    })
  if (typeOf(request) !== 'multipart/form-data') return bytes
  const files: Buffer[] = []
  try {
    for await (const { content } of formFiles(
      Readable.from([bytes]),
      request.headers['content-type'] ?? '',
    )) {
      const parts: Buffer[] = []
      for await (const part of content) parts.push(part)
      files.push(Buffer.concat(parts))
    }
  } catch (error) {
    const { message } = error as Error
    const detail = `The body is not a form with a file: ${message}.`
    if (error instanceof BadForm) throw new Refused(400, 'not-a-form', detail)
    throw new Refused(400, 'not-a-form', 'The form is cut off.')
  }
  const [file] = files
  if (file !== undefined && files.length === 1) return file
  throw new Refused(400, 'files', `The form has ${files.length} files; one is predicted.`, {
    remedy: 'Send one part with a filename, as curl -F file=@rows.csv does.',
  })
}
