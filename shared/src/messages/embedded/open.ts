import { assert } from '../../base/assert.ts'
import { systemClock } from '../../base/clock.ts'
import { TooLarge, Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import { systemRandom } from '../../base/random.ts'
import { startConsuming } from '../consuming.ts'
import {
  type Delivery,
  deliver,
  type MessagesOptions,
  newTally,
  pauseBefore,
  settingsOf,
} from '../deliver.ts'
import type { Consuming, DeadLetter, Message, Messages } from '../port.ts'
import type { LetterRow, LogRow } from './log-database.ts'
import { openLogThread } from './log-thread.ts'

export type EmbeddedMessagesOptions = MessagesOptions & {
  /** The SQLite file, made when it is not there. One process at a time. */
  readonly path: string
}

const topic = 'messages'
const never = new AbortController().signal

/**
 * The messages of one process: a log in an SQLite file. What was acknowledged survives the process
 * and the power. Rejects when the file cannot be opened, as while another process has it.
 */
export async function openEmbeddedMessages(options: EmbeddedMessagesOptions): Promise<Messages> {
  const { clock = systemClock, random = systemRandom } = options
  const settings = settingsOf(options)
  const { bytesMax } = settings
  const thread = await openLogThread(options.path)
  let isClosed = false
  let waiting = await thread.call('waiting', [], never)
  let wake = () => {}
  let consuming: Consuming | undefined
  const tally = newTally()

  const bury: Delivery['bury'] = (message, reason) => {
    const { origin, at, value } = message
    const sizeBytes = value.byteLength
    const kept = sizeBytes > bytesMax ? new Uint8Array() : value
    const buriedAt = clock.wallTime()
    const row = { offset: Number(origin.offset), at, buriedAt, reason, sizeBytes, value: kept }
    return thread.call('bury', [row], never)
  }
  /** The first that waits, delivered; or nothing until one is published. */
  const turn = async (parts: Delivery, signal: AbortSignal) => {
    const published = new Promise<void>((resolve) => {
      wake = resolve
    })
    const row = await thread.call('next', [], never)
    if (row === undefined) return await published
    await deliver(parts, messageOf(row), signal)
    await thread.call('commit', [row.offset], never)
    waiting -= 1
  }
  const run = async (parts: Delivery, signal: AbortSignal) => {
    signal.addEventListener('abort', () => wake(), { once: true })
    for (let failed = 0; !signal.aborted; ) {
      try {
        await turn(parts, signal)
        failed = 0
      } catch (error) {
        if (signal.aborted) return
        parts.onEvent('messages-away', { place: options.path, cause: (error as Error).message })
        await clock.sleep(pauseBefore(failed, parts), signal).catch(() => {})
        failed += 1
      }
    }
  }
  return {
    place: options.path,
    deadLetterPlace: options.path,
    bytesMax,
    publish: async (value, signal) => {
      if (value.byteLength > bytesMax) throw new TooLarge(bytesMax)
      const offset = await thread.call('publish', [clock.wallTime(), value], signal)
      if (offset === undefined) throw tooMany
      waiting += 1
      wake()
      return originOf(offset)
    },
    consume: (handle) => {
      assert(consuming === undefined, 'messages are consumed once')
      const parts = { clock, random, ...settings, tally, handle, bury }
      consuming = startConsuming(
        (signal) => run(parts, signal),
        () => {},
      )
      return consuming
    },
    look: () => ({ isAvailable: !isClosed, waiting, ...tally }),
    deadLetters: async ({ before, limit }, signal) => {
      const from = before === null ? Number.MAX_SAFE_INTEGER : Number(before)
      const count = Math.min(limit, limits.pageItemsMax)
      const rows = await thread.call('letters', [from, count + 1], signal)
      const letters = rows.slice(0, count).map(letterOf)
      const next = rows.length > count ? (letters.at(-1)?.origin.offset ?? null) : null
      return { letters, next }
    },
    close: async () => {
      isClosed = true
      await consuming?.stop()
      await thread.close()
    },
  }
}

const tooMany = new Unavailable('messages', `${limits.messagesWaitingMax} messages wait already`)

const originOf = (offset: number) => ({ topic, partition: 0, offset: String(offset) })

const messageOf = ({ offset, at, value }: LogRow): Message => ({
  origin: originOf(offset),
  at,
  value,
})

function letterOf(row: LetterRow): DeadLetter {
  const { buriedAt, reason, sizeBytes } = row
  return { ...messageOf(row), buriedAt, reason, sizeBytes }
}
