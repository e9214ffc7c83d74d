import { type Consuming, Counter, type Messages, type Registry } from '@almanac/shared'
import { gauge } from '../server/metrics.ts'
import { createMessageHandler, type HandlerParts } from './handle-message.ts'

export type MessageConsumerParts = Omit<HandlerParts, 'onBegun'> & {
  readonly messages: Messages
  readonly registry: Registry
}

/** Consumes messages in the background until it is stopped, and tells of them in metrics. */
export function startMessageConsumer(parts: MessageConsumerParts): Consuming {
  const { messages, registry } = parts
  const registers = [registry]
  const fits = new Counter({
    name: 'almanac_message_fits_total',
    help: 'Fits that messages began.',
    registers,
  })
  const count = (name: string, help: string, look: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(look())
      },
    })
  const { look } = messages
  count('almanac_messages_consumed_total', 'Messages that are done with.', () => look().handled)
  count('almanac_messages_dead_total', 'Of these, dead letters.', () => look().buried)
  count('almanac_messages_held_total', 'Tries of messages that had to wait.', () => look().held)
  gauge(registry, 'almanac_messages_available', 'Whether messages can be read.', () =>
    look().isAvailable ? 1 : 0,
  )
  gauge(registry, 'almanac_messages_waiting', 'Messages that wait, as far as known.', () => {
    return look().waiting ?? Number.NaN
  })
  const onBegun = () => fits.inc()
  return messages.consume(createMessageHandler({ ...parts, onBegun }))
}
