import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { backoffMs, type Random } from '../base/random.ts'
import type { DeadReason, Handle, Message } from './port.ts'

/** What happened to messages, for logs; few names. Must not throw. */
export type OnEvent = (name: string, fields: Readonly<Record<string, unknown>>) => void

/** What all adapters are told; what is not given has its default in `limits`. */
export type MessagesOptions = {
  readonly bytesMax?: number
  readonly pauseMs?: number
  readonly pauseMaxMs?: number
  readonly clock?: Clock
  readonly random?: Random
  readonly onEvent?: OnEvent
}

export type Delivery = {
  readonly clock: Clock
  readonly random: Random
  readonly onEvent: OnEvent
  readonly bytesMax: number
  readonly pauseMs: number
  readonly pauseMaxMs: number
  readonly handle: Handle
  /** Keeps a message that cannot be used where dead letters are. Doing it twice does no harm. */
  readonly bury: (message: Message, reason: DeadReason) => Promise<void>
}

/**
 * Resolves when the message may count as consumed, however long that takes. Rejects with the
 * signal's reason when the consumer stops before.
 */
export async function deliver(parts: Delivery, message: Message, signal: AbortSignal) {
  for (let tries = 0; ; tries += 1) {
    try {
      await once(parts, message, signal)
      return
    } catch (error) {
      signal.throwIfAborted()
      const { message: cause } = error as Error
      parts.onEvent('message-held', { ...message.origin, tries: tries + 1, cause })
      await parts.clock.sleep(pauseBefore(tries, parts), signal)
    }
  }
}

/** Never nothing: what failed for a reason that takes time to pass is not asked in a circle. */
export function pauseBefore(
  tries: number,
  { pauseMs, pauseMaxMs, random }: Pick<Delivery, 'pauseMs' | 'pauseMaxMs' | 'random'>,
): number {
  return pauseMs / 2 + backoffMs(tries, pauseMs, pauseMaxMs - pauseMs / 2, random)
}

async function once(parts: Delivery, message: Message, signal: AbortSignal): Promise<void> {
  const { bytesMax, handle, bury } = parts
  const { byteLength } = message.value
  if (byteLength > bytesMax) {
    const detail = `The message has ${byteLength} bytes; at most ${bytesMax} are taken.`
    const remedy = 'Upload the data as a file, and send its name.'
    await bury(message, { code: 'too-large', detail, remedy })
    return
  }
  const handled = await handle(message, signal)
  if (handled.kind === 'dead') await bury(message, handled.reason)
}

export const settingsOf = (options: MessagesOptions) => ({
  bytesMax: options.bytesMax ?? limits.messageBytesMax,
  pauseMs: options.pauseMs ?? limits.messagePauseMs,
  pauseMaxMs: options.pauseMaxMs ?? limits.messagePauseMaxMs,
  onEvent: options.onEvent ?? (() => {}),
})
