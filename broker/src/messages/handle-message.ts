import {
  type DeadReason,
  type FilesPlace,
  type Handle,
  type Handled,
  type Logger,
  type Message,
  type Origin,
  Refused,
  Unavailable,
} from '@almanac/shared'
import type { BodyReader } from '../api/body-reader.ts'
import { mustHaveFile } from '../api/must-have-file.ts'
import type { ApiParts } from '../api/parts.ts'
import { type Idempotency, sha256Of } from '../jobs/allocate.ts'
import type { Fits } from '../jobs/fits.ts'
import { type MessageBody, readMessage } from './read-message.ts'

/** A file that somebody says is there, without saying for what. */
export type Announcement = {
  readonly file: string
  readonly origin: Origin
  readonly at: string
  /** Of the message: what is begun with it is begun once, however often it is given. */
  readonly idempotency: Idempotency
}

/**
 * Makes durable what is to become of an announced file. Throws `Refused` when nothing can, and
 * `Unavailable` when it is to be called again; being called twice must do no harm.
 */
export type Announced = (announcement: Announcement, signal: AbortSignal) => Promise<void>

export type HandlerParts = Pick<ApiParts, 'files' | 'bounds' | 'tenant'> & {
  readonly logger: Logger
  readonly filesPlace: FilesPlace | null
  readonly fits: Pick<Fits, 'begin'>
  readonly bodies: Pick<BodyReader, 'readFit'>
  readonly announced: Announced
  /** Told of each fit that a message began. */
  readonly onBegun: () => void
}

/** Faults that nobody expected may pass, or may be in the message. */
const unexpectedTriesMax = 5

/**
 * Begins what messages ask for; each is done when its job is durable. What cannot be used is a
 * dead letter, what fails for another reason is thrown, to be tried again.
 */
export function createMessageHandler(parts: HandlerParts): Handle {
  const unexpected = { origin: '', tries: 0 }
  return async (message, signal) => {
    try {
      await begin(parts, message, signal)
      return { kind: 'done' }
    } catch (error) {
      if (error instanceof Refused && isFinal(error)) return dead(reasonOf(error))
      if (error instanceof Refused || error instanceof Unavailable || isLate(error)) throw error
      const origin = JSON.stringify(message.origin)
      unexpected.tries = unexpected.origin === origin ? unexpected.tries + 1 : 1
      unexpected.origin = origin
      parts.logger.error({ event: 'message-failed', ...message.origin, err: error })
      if (unexpected.tries < unexpectedTriesMax) throw error
      const detail = 'Something is wrong on our side; the log of the broker says what.'
      return dead({ code: 'internal', detail })
    }
  }
}

const dead = (reason: DeadReason): Handled => ({ kind: 'dead', reason })

/** What will not be otherwise when it is tried again. */
export const isFinal = ({ status }: Refused) =>
  status >= 400 && status < 500 && status !== 408 && status !== 429

const isLate = (error: unknown) => (error as Error).name === 'TimeoutError'

function reasonOf({ code, message, field, remedy }: Refused): DeadReason {
  // The message stands where a fit's body has a table.
  return { code, detail: message, field: field?.replace(/^\/table(?=\/)/, ''), remedy }
}

async function begin(parts: HandlerParts, message: Message, signal: AbortSignal): Promise<void> {
  const body = readMessage(message.value, parts.filesPlace)
  const idempotency = idempotencyOf(message)
  if (body.kind === 'fit') return await beginFit(parts, message, body, idempotency)
  const { origin, at } = message
  const { file } = body
  await mustHaveFile(parts, file)
  await parts.announced({ file, origin, at, idempotency }, signal)
  parts.logger.info({ event: 'message-announced', ...origin, file })
}

async function beginFit(
  parts: HandlerParts,
  { origin }: Message,
  { model, file, recipe, spec, bounds }: Extract<MessageBody, { readonly kind: 'fit' }>,
  idempotency: Idempotency,
): Promise<void> {
  const { topic, partition, offset } = origin
  const asked = { table: { file, recipe }, spec, bounds }
  const fit = await parts.bodies.readFit(Buffer.from(JSON.stringify(asked)))
  await mustHaveFile(parts, file)
  const of = { tenant: parts.tenant, model }
  const requestId = `message:${topic}/${partition}/${offset}`
  const { data } = fit
  const what = { data, spec: fit.spec, bounds: fit.bounds }
  const begun = await parts.fits.begin({ of, ...what, requestId, idempotency })
  const { job, version, isNew } = begun
  if (isNew) parts.onBegun()
  parts.logger.info({ event: 'message-begun', ...origin, model, version, job, isNew })
}

/**
 * A topic that was made anew has the same offsets again, at other times. No client's key is equal
 * to this, which no header could carry.
 */
function idempotencyOf({ origin, at, value }: Message): Idempotency {
  const { topic, partition, offset } = origin
  const key = ['message', topic, partition, offset, at].join('\n')
  return { hash: sha256Of(key), body: sha256Of(value) }
}
