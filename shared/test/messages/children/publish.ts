import { openEmbeddedMessages } from '../../../src/messages/embedded/open.ts'

/** Publishes until it is killed, and prints what was acknowledged. */
const messages = await openEmbeddedMessages({ path: process.argv[2] as string })
for (let i = 0; ; i += 1) {
  const text = `message ${i}`
  const { offset } = await messages.publish(Buffer.from(text), AbortSignal.timeout(5_000))
  process.stdout.write(`${offset} ${text}\n`)
}
