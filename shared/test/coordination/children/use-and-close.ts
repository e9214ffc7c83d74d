import { openEmbeddedCoordinator, openEtcdCoordinator, put } from '../../../src/index.ts'

/*
 * Uses everything that a coordinator has and closes it. It ends only when nothing is left open.
 * Arguments: `embedded` and a path, or `etcd` and an endpoint.
 */
const [kind, where = ''] = process.argv.slice(2)
const coordinator = await (kind === 'embedded'
  ? openEmbeddedCoordinator({ path: where })
  : openEtcdCoordinator({ endpoints: [where], prefix: `/close-${process.pid}` }))
const { signal } = new AbortController()
const lease = await coordinator.grantLease(10_000, signal)
await new Promise<void>((resolve) => {
  coordinator.watch('/', (event) => event.kind === 'changes' && resolve())
  coordinator.watch('/', (event) => {
    if (event.kind !== 'snapshot') return
    coordinator.transact({ when: [], then: [put('/a', '1', lease.id)] }, signal)
  })
})
await coordinator.close()
process.stdout.write('closed\n')
