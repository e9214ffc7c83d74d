import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { OnEvent } from '../messages/deliver.ts'
import { openEmbeddedMessages } from '../messages/embedded/open.ts'
import type { Messages } from '../messages/port.ts'
import { type Logger, sparingly } from '../telemetry/log.ts'
import { optionalText, text } from './kinds.ts'
import type { Setting, Settings } from './settings.ts'

/** Where messages come from: a log of this process, or a topic of Kafka. */
export type MessagesPlace =
  | { readonly kind: 'none' }
  | { readonly kind: 'embedded' }
  | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly topic: string }

const topicShape = /^[A-Za-z0-9._-]{1,200}$/

const place: Setting<MessagesPlace | null> = {
  flag: 'messages',
  env: 'ALMANAC_MESSAGES',
  shape: 'kafka://HOST:PORT[,…]/TOPIC|embedded|none',
  fallback: null,
  help: 'Where messages that ask for fits come from; a cluster of processes needs Kafka for it.',
  parse: (value) => {
    if (value === 'none' || value === 'embedded') return { value: { kind: value } }
    const found = /^kafka:\/\/([^/]+)\/([^/]+)$/.exec(value)
    const [, hosts = '', topic = ''] = found ?? []
    const brokers = hosts.split(',')
    if (topicShape.test(topic) && brokers.every((broker) => /^[^\s:@]+:\d{1,5}$/.test(broker)))
      return { value: { kind: 'kafka', brokers, topic } }
    return { fault: `"${value}" is not like kafka://10.0.0.6:9092/fits, embedded or none` }
  },
}

/** What a broker is told of messages. */
export const messagesSettings = {
  messages: place,
  messagesGroup: text({
    flag: 'messages-group',
    env: 'ALMANAC_MESSAGES_GROUP',
    shape: 'NAME',
    fallback: 'almanac',
    help: 'The consumer group of Kafka, the same for all brokers of a cluster.',
  }),
  messagesDeadLetters: optionalText({
    flag: 'messages-dead-letters',
    env: 'ALMANAC_MESSAGES_DEAD_LETTERS',
    shape: 'TOPIC',
    help: 'The topic for messages that cannot be used; TOPIC.dead-letters unless told.',
  }),
} as const

export type MessagesSettings = Settings<typeof messagesSettings>

/** What is wrong with these settings that are each fine. */
export function checkMessagesSettings(settings: MessagesSettings): readonly string[] {
  const { messages, messagesDeadLetters: dead, messagesGroup: group } = settings
  const faults: string[] = []
  if (dead !== null && messages?.kind !== 'kafka')
    faults.push('--messages-dead-letters goes with --messages kafka://…')
  if (dead !== null && !topicShape.test(dead))
    faults.push(`--messages-dead-letters: "${dead}" is not the name of a topic`)
  if (messages?.kind === 'kafka' && messages.topic === dead)
    faults.push('--messages-dead-letters: a topic of its own, or they would be read again')
  if (!topicShape.test(group)) faults.push(`--messages-group: "${group}" is not a group's name`)
  return faults
}

/** Opens what the settings name; undefined when they name nothing. `folder` is for `embedded`. */
export async function openMessages(
  settings: MessagesSettings,
  folder: string,
  logger: Logger,
  clock: Clock,
): Promise<Messages | undefined> {
  const { messages, messagesGroup: group, messagesDeadLetters } = settings
  if (messages === null || messages.kind === 'none') return undefined
  const onEvent = telling(logger, clock)
  if (messages.kind === 'embedded')
    return await openEmbeddedMessages({ path: join(folder, 'messages.sqlite'), clock, onEvent })
  // Who has no Kafka does not load its client.
  const { openKafkaMessages } = await import('../messages/kafka/open.ts')
  const { brokers, topic } = messages
  const deadLetterTopic = messagesDeadLetters ?? `${topic}.dead-letters`
  return openKafkaMessages({ brokers, topic, group, deadLetterTopic, clock, onEvent })
}

/** What is told again and again while something is away is told now and then. */
function telling(logger: Logger, clock: Clock): OnEvent {
  const warn = sparingly(logger, clock)
  return (event, fields) => {
    if (event === 'messages-joined') logger.info({ event, ...fields })
    else if (event === 'message-held') warn(event, fields)
    else logger.warn({ event, ...fields })
  }
}
