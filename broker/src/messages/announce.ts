import { type FilesPlace, type Messages, type Origin, Refused } from '@almanac/shared'
import { urlOfFile } from './file-urls.ts'

type Parts = {
  readonly messages: Messages | undefined
  readonly filesPlace: FilesPlace | null
}

/**
 * Leaves a message that says only where a file is: `{"url": …}`. Durable when it resolves. Throws
 * `Refused` where there is no place for messages, and `Unavailable`.
 */
export async function announceFile(
  parts: Parts,
  file: string,
  signal: AbortSignal,
): Promise<Origin> {
  const message = JSON.stringify({ url: urlOfFile(file, parts.filesPlace) })
  return await messagesOf(parts).publish(Buffer.from(message), signal)
}

/** Where messages are; throws `Refused` where nobody said. */
export function messagesOf({ messages }: Pick<Parts, 'messages'>): Messages {
  if (messages !== undefined) return messages
  throw new Refused(409, 'no-place-for-messages', 'Nobody said where messages come from.', {
    remedy:
      'Start the brokers with --messages (ALMANAC_MESSAGES), like kafka://10.0.0.6:9092/fits.',
  })
}
