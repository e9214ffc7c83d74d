import { cqlFaults } from './cql-faults.ts'
import { etcdFaults } from './etcd-faults.ts'
import type { Fault } from './fault.ts'
import { linkFaults } from './link-faults.ts'
import { processFaults } from './process-faults.ts'
import { storeFaults } from './store-faults.ts'

/** What a mixed run draws from, and what can be asked for by name. */
export const allFaults: readonly Fault[] = [
  ...processFaults,
  ...linkFaults,
  ...etcdFaults,
  ...cqlFaults,
  ...storeFaults,
]
