import {
  backendSettings,
  checkClusterSettings,
  checkFilesSettings,
  checkMessagesSettings,
  filesSettings,
  hostNames,
  integer,
  limits,
  messagesSettings,
  processSettings,
  type Settings,
  text,
} from '@almanac/shared'

export const usage = `A broker of an Almanac cluster: the public API.

  broker --etcd HOST:PORT --cql HOST:PORT [options]

Every option can be given as a flag or in the environment.`

export const brokerSettings = {
  host: text({
    flag: 'host',
    env: 'ALMANAC_HOST',
    shape: 'ADDRESS',
    fallback: '127.0.0.1',
    help: 'The address that the API listens on; anything but loopback is open to the network.',
  }),
  port: integer({
    flag: 'port',
    env: 'ALMANAC_PORT',
    fallback: 5000,
    minimum: 0,
    maximum: 65_535,
    help: 'Where the API listens; 0 takes a free port.',
  }),
  allowedHosts: hostNames({
    flag: 'allowed-hosts',
    env: 'ALMANAC_ALLOWED_HOSTS',
    help: 'Names that it answers for: on loopback those of loopback besides, else any by default.',
  }),
  responseCacheMb: integer({
    flag: 'response-cache-mb',
    env: 'ALMANAC_RESPONSE_CACHE_MB',
    fallback: limits.responseCacheBytes / 1_048_576,
    minimum: 0,
    maximum: 4_096,
    help: 'Memory for answers that were given before; 0 asks a node every time.',
  }),
  ...backendSettings,
  ...filesSettings,
  ...messagesSettings,
  ...processSettings,
} as const

export type BrokerSettings = Settings<typeof brokerSettings>

export const checkSettings = (settings: BrokerSettings): readonly string[] => [
  ...checkClusterSettings(settings),
  ...checkFilesSettings(settings),
  ...checkMessagesSettings(settings),
  ...messagesFaults(settings),
]

/** What a broker of a cluster cannot do. */
function messagesFaults({ messages, files }: BrokerSettings): readonly string[] {
  if (messages?.kind === 'embedded')
    return ['--messages embedded is for one process: brokers share kafka://HOST:PORT/TOPIC']
  return messages?.kind === 'kafka' && files === null
    ? ['--messages goes with --files: a message names a file']
    : []
}
