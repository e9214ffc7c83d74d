import { openEtcdCoordinator } from '../../../src/index.ts'

/*
 * Closes a coordinator while etcd is frozen with calls, a lease and a watch under way. It ends only
 * when nothing is left open. Arguments: an endpoint and the process to freeze.
 */
const [endpoint = '', pid] = process.argv.slice(2)
const coordinator = await openEtcdCoordinator({ endpoints: [endpoint] })
const { signal } = new AbortController()
await coordinator.grantLease(3_000, signal)
await new Promise<void>((resolve) => coordinator.watch('/', () => resolve()))
process.kill(Number(pid), 'SIGSTOP')
await Promise.allSettled([
  coordinator.get('/a', signal),
  coordinator.list('/', signal),
  coordinator.clusterId(signal),
])
const late = coordinator.get('/a', signal)
await coordinator.close()
await Promise.allSettled([late])
process.stdout.write('closed\n')
