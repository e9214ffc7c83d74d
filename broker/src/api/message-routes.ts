import { type DeadLetter, Refused, TooLarge } from '@almanac/shared'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { messagesOf } from '../messages/announce.ts'
import { readMessage } from '../messages/read-message.ts'
import { DeadLettersPage, MessageRequest, PublishedMessage } from './message-schemas.ts'
import { readPage } from './pages.ts'
import type { ApiParts } from './parts.ts'
import { PageQuery, problems, problemsWithBody } from './schemas.ts'

/** `/api/messages`: leaves one, as other systems do without us; and those that were no use. */
export function addMessageRoutes(server: FastifyInstance, parts: ApiParts): void {
  server.register(async (scope) => {
    scope.removeContentTypeParser('application/json')
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    scope.post<{ Body: Buffer }>(
      '/messages',
      {
        // The schema describes; the message is read from its bytes.
        validatorCompiler: () => () => true,
        schema: {
          summary: 'Leaves a message that asks for a fit of a table',
          body: MessageRequest,
          response: { 202: PublishedMessage, ...problemsWithBody(422) },
        },
      },
      async (request, reply) => reply.code(202).send(await leave(parts, request)),
    )
  })
  addDeadLetters(server, parts)
}

async function leave(parts: ApiParts, { body }: FastifyRequest<{ Body: Buffer }>) {
  const messages = messagesOf(parts)
  const bytes = body ?? Buffer.alloc(0)
  if (bytes.byteLength > messages.bytesMax) throw tooLarge(messages.bytesMax)
  readMessage(bytes, parts.filesPlace)
  const signal = AbortSignal.timeout(parts.bounds.messageCallMs)
  return await messages.publish(bytes, signal).catch((error) => {
    throw error instanceof TooLarge ? tooLarge(error.bytesMax) : error
  })
}

const tooLarge = (bytesMax: number) =>
  new Refused(413, 'too-large', `A message has at most ${bytesMax} bytes.`, {
    remedy: 'Upload the data as a file, and send its name.',
  })

function addDeadLetters(instance: FastifyInstance, parts: ApiParts): void {
  const server = instance.withTypeProvider<TypeBoxTypeProvider>()
  server.get(
    '/messages/dead-letters',
    {
      schema: {
        summary: 'Messages that could not be used, newest first',
        querystring: PageQuery,
        response: { 200: DeadLettersPage, ...problems(400, 409) },
      },
    },
    async (request) => {
      const messages = messagesOf(parts)
      const { limit, cursor: before } = readPage(request.query, /^\d{1,15}$/)
      const signal = AbortSignal.timeout(parts.bounds.messageCallMs)
      const page = await messages.deadLetters({ before, limit }, signal)
      if (page === undefined)
        throw new Refused(409, 'kept-elsewhere', 'Dead letters are not kept by this broker.', {
          remedy: `Read ${messages.deadLetterPlace}; its headers say why each one is there.`,
        })
      return { letters: page.letters.map(presentLetter), next: page.next }
    },
  )
}

function presentLetter({ origin, at, buriedAt, reason, sizeBytes, value }: DeadLetter) {
  const { code, detail, field, remedy } = reason
  return {
    ...origin,
    at,
    buriedAt,
    reason: {
      code,
      detail,
      ...(field === undefined ? {} : { field }),
      ...(remedy === undefined ? {} : { remedy }),
    },
    sizeBytes,
    message: Buffer.from(value).toString(),
  }
}
