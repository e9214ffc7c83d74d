import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { backoffMs, type Random } from '../base/random.ts'
import type { DeadReason, Handle, Message, MessagesLook } from './port.ts'

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

/** Counted since the start of the process. */
export type Tally = { -readonly [K in 'handled' | 'buried' | 'held']: MessagesLook[K] }

export type Delivery = {
  readonly tally: Tally
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
      parts.tally.handled += 1
      return
    } catch (error) {
      signal.throwIfAborted()
      parts.tally.held += 1
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
  const { bytesMax, handle, tally, onEvent } = parts
  const bury = async (reason: DeadReason) => {
    await parts.bury(message, reason)
    tally.buried += 1
    const { code, detail } = reason
    onEvent('message-dead', { ...message.origin, code, detail: detail.slice(0, 500) })
  }
  const { byteLength } = message.value
  if (byteLength > bytesMax) {
    const detail = `The message has ${byteLength} bytes; at most ${bytesMax} are taken.`
    const remedy = 'Upload the data as a file, and send its name.'
    await bury({ code: 'too-large', detail, remedy })
    return
  }
  const handled = await handle(message, signal)
  if (handled.kind === 'dead') await bury(handled.reason)
}

export const newTally = (): Tally => ({ handled: 0, buried: 0, held: 0 })

export const settingsOf = (options: MessagesOptions) => ({
  bytesMax: options.bytesMax ?? limits.messageBytesMax,
  pauseMs: options.pauseMs ?? limits.messagePauseMs,
  pauseMaxMs: options.pauseMaxMs ?? limits.messagePauseMaxMs,
  onEvent: options.onEvent ?? (() => {}),
})
