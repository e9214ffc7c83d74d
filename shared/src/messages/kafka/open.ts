import { assert } from '../../base/assert.ts'
import { systemClock } from '../../base/clock.ts'
import { TooLarge } from '../../base/errors.ts'
import { systemRandom } from '../../base/random.ts'
import { startConsuming } from '../consuming.ts'
import { type MessagesOptions, newTally, pauseBefore, settingsOf } from '../deliver.ts'
import type { Consuming, Messages } from '../port.ts'
import type { KafkaPlace } from './client.ts'
import { createProducer } from './producer.ts'
import { consumeOnce, type SessionParts } from './session.ts'

export type KafkaMessagesOptions = MessagesOptions & KafkaPlace

/**
 * Messages of a topic, shared among the processes of one group. Calls nobody before it is used; a
 * Kafka that is away is waited for, and that it is said once.
 */
export function openKafkaMessages(options: KafkaMessagesOptions): Messages {
  const { clock = systemClock, random = systemRandom, brokers, topic } = options
  const settings = settingsOf(options)
  const { bytesMax, onEvent } = settings
  const producer = createProducer(options, bytesMax)
  const place = `kafka://${brokers.join(',')}/${topic}`
  let isAvailable = false
  let wasTold = false
  let waiting: number | null = null
  let consuming: Consuming | undefined
  const tally = newTally()

  const joined = () => {
    if (!isAvailable) onEvent('messages-joined', { place, group: options.group })
    isAvailable = true
    wasTold = false
  }
  const left = (error: unknown, failed: number) => {
    // The first look at a topic that is just being made fails, and is no news.
    const isNews = isAvailable || failed > 0
    isAvailable = false
    waiting = null
    if (!isNews || wasTold) return
    wasTold = true
    onEvent('messages-away', { place, cause: (error as Error).message })
  }
  const run = async (parts: SessionParts, signal: AbortSignal) => {
    for (let failed = 0; !signal.aborted; failed += 1) {
      try {
        const onJoined = () => {
          failed = 0
          joined()
        }
        await consumeOnce({ ...parts, onJoined }, signal)
      } catch (error) {
        if (signal.aborted) return
        left(error, failed)
        await clock.sleep(pauseBefore(failed, parts), signal).catch(() => {})
      }
    }
  }
  return {
    place,
    deadLetterPlace: `kafka://${brokers.join(',')}/${options.deadLetterTopic}`,
    bytesMax,
    publish: async (value, signal) => {
      signal.throwIfAborted()
      if (value.byteLength > bytesMax) throw new TooLarge(bytesMax)
      return await producer.publish(value, signal)
    },
    consume: (handle) => {
      assert(consuming === undefined, 'messages are consumed once')
      const parts: SessionParts = {
        ...{ clock, random, ...settings, tally, handle, place: options, onJoined: joined },
        bury: (message, reason) => producer.bury(message, reason, clock.wallTime()),
        onWaiting: (count) => {
          waiting = count
        },
      }
      consuming = startConsuming(
        (signal) => run(parts, signal),
        () => {},
      )
      return consuming
    },
    look: () => ({ isAvailable, waiting, ...tally }),
    deadLetters: async () => undefined,
    close: async () => {
      await consuming?.stop()
      await producer.close()
    },
  }
}
