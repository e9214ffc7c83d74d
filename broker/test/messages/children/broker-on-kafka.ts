import { join } from 'node:path'
import {
  createLogger,
  type Messages,
  openEtcdCoordinator,
  openFolderFiles,
  openMessages,
  openSqliteStore,
  systemClock,
} from '@almanac/shared'
import { startBroker } from '../../../src/index.ts'

/** A broker that dies, where it is told so, when a message's job is durable and nobody knows it. */
const [etcd = '', prefix = '', kafka = '', topic = '', folder = '', end = ''] =
  process.argv.slice(2)
const logger = createLogger({ process: 'broker', level: 'warn' })
const place = { kind: 'kafka', brokers: [kafka], topic } as const
const settings = { messages: place, messagesGroup: `of-${topic}`, messagesDeadLetters: null }
const log = (await openMessages(settings, folder, logger, systemClock))!
const messages: Messages = {
  ...log,
  consume: (handle) =>
    log.consume(async (message, signal) => {
      const handled = await handle(message, signal)
      if (end === 'dies') process.kill(process.pid, 'SIGKILL')
      return handled
    }),
}
const broker = await startBroker({
  ...{ messages, logger, host: '127.0.0.1', port: 0, token: null },
  coordinator: await openEtcdCoordinator({ endpoints: [etcd], prefix }),
  store: await openSqliteStore({ path: join(folder, 'store.sqlite') }),
  files: await openFolderFiles({ path: join(folder, 'files') }),
})
process.stdout.write(`${broker.url}\n`)
