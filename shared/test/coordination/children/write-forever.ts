import { openEmbeddedCoordinator, put } from '../../../src/index.ts'

/*
 * Writes numbered keys as fast as it can, several at a time, and prints each number once it was
 * acknowledged. It is killed from outside. Argument: the path of the database.
 */
const coordinator = await openEmbeddedCoordinator({ path: process.argv[2] as string })
const { signal } = new AbortController()
const lease = await coordinator.grantLease(60_000, signal)
await coordinator.transact({ when: [], then: [put('/leased', '1', lease.id)] }, signal)
let next = 0
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (;;) {
      const number = next++
      const then = [put(`/n/${number}`, String(number)), put(`/twin/${number}`, String(number))]
      await coordinator.transact({ when: [], then }, signal)
      process.stdout.write(`${number}\n`)
    }
  }),
)
