import { cqlFaults } from './cql-faults.ts'
import { etcdFaults } from './etcd-faults.ts'
import type { Fault } from './fault.ts'
import { linkFaults } from './link-faults.ts'
import { processFaults } from './process-faults.ts'
import { storeFaults } from './store-faults.ts'

/** What a mixed run draws from. */
export const mixableFaults: readonly Fault[] = [
  ...processFaults,
  ...linkFaults,
  ...etcdFaults,
  ...cqlFaults,
]

/** What can be asked for by name: also what must have the cluster to itself. */
export const allFaults: readonly Fault[] = [...mixableFaults, ...storeFaults]
