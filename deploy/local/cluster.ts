import { resolve } from 'node:path'
import { choice, integer, settingsOrExit, text } from '@almanac/shared'
import { startCassandra } from './cassandra.ts'
import { startEtcd } from './etcd.ts'
import { startKafka } from './kafka.ts'
import { startCluster } from './processes.ts'

const usage = `A whole cluster as processes on this machine, without containers: etcd, a CQL database
(Apache Cassandra in ScyllaDB's place), brokers and nodes.

  npm run cluster -- [options]`

const settings = settingsOrExit(
  usage,
  {
    port: integer({
      flag: 'port',
      env: 'ALMANAC_PORT',
      fallback: 5000,
      minimum: 1,
      maximum: 65_535,
      help: "Where the first broker's API listens.",
    }),
    brokers: integer({
      flag: 'brokers',
      env: 'ALMANAC_BROKERS',
      fallback: 1,
      minimum: 1,
      maximum: 16,
      help: 'How many brokers; all but the first take free ports.',
    }),
    nodes: integer({
      flag: 'nodes',
      env: 'ALMANAC_NODES',
      fallback: 2,
      minimum: 1,
      maximum: 16,
      help: 'How many nodes fit and serve.',
    }),
    etcdMembers: integer({
      flag: 'etcd-members',
      env: 'ALMANAC_ETCD_MEMBERS',
      fallback: 1,
      minimum: 1,
      maximum: 3,
      help: 'One or three members of etcd.',
    }),
    kafka: choice({
      flag: 'kafka',
      env: 'ALMANAC_KAFKA',
      choices: ['no', 'yes'],
      fallback: 'no',
      help: 'Messages through Kafka, 340 MB more, and files in a folder of the data.',
    }),
    data: text({
      flag: 'data',
      env: 'ALMANAC_DATA',
      shape: 'DIR',
      fallback: './data/cluster',
      help: 'Where etcd, the database and the logs live.',
    }),
  } as const,
  ({ etcdMembers }) =>
    etcdMembers === 2 ? ['--etcd-members: 1 or 3; two lose more than one'] : [],
)

const folder = resolve(settings.data)
const say = (line: string) => process.stdout.write(`${line}\n`)
const opened: (() => Promise<void>)[] = []
const stopAll = async () => {
  for (const stop of opened.splice(0).reverse()) await stop()
}
let stopping = false
const stopOnSignal = () => {
  if (stopping) return
  stopping = true
  say('Stopping …')
  void stopAll().then(() => process.exit(0))
}
process.on('SIGINT', stopOnSignal)
process.on('SIGTERM', stopOnSignal)

try {
  say('Starting etcd (built once, about two minutes, when it is not there) …')
  const members = settings.etcdMembers === 3 ? 3 : 1
  const etcd = await startEtcd({ dataDir: `${folder}/etcd`, members })
  opened.push(() => etcd.stop())
  say('Starting the CQL database (fetched once, about a minute, when it is not there) …')
  const cql = await startCassandra({ dataDir: `${folder}/cql` })
  opened.push(() => cql.stop())
  const env: Record<string, string> = {}
  if (settings.kafka === 'yes') {
    say('Starting Kafka (fetched once, half a minute, when it is not there) …')
    const kafka = await startKafka({ dataDir: `${folder}/kafka` })
    opened.push(() => kafka.stop())
    env.ALMANAC_MESSAGES = `kafka://${kafka.address}/fits`
    env.ALMANAC_FILES = process.env.ALMANAC_FILES || `${folder}/files`
    say(`Messages are those of ${env.ALMANAC_MESSAGES}.`)
  }
  say('Starting brokers and nodes …')
  const cluster = await startCluster({
    endpoints: {
      etcd: etcd.endpoints,
      cql: cql.contactPoint,
      cqlDataCenter: cql.localDataCenter,
    },
    brokers: settings.brokers,
    nodes: settings.nodes,
    port: settings.port,
    logDir: `${folder}/logs`,
    env,
  })
  opened.push(() => cluster.stop())
  for (const part of [...cluster.brokers, ...cluster.nodes])
    say(`  ${part.name}  ${part.url}  pid ${part.pid}  ${part.logFile}`)
  say(`etcd at ${etcd.endpoints.join(', ')}, CQL at ${cql.contactPoint}. Stop all with Ctrl-C.`)
} catch (error) {
  process.stderr.write(`Cannot start: ${(error as Error).message}\n`)
  await stopAll()
  process.exit(1)
}
