import { assert } from '../base/assert.ts'
import { limits } from '../base/limits.ts'
import type { Transaction } from './port.ts'

/**
 * What both adapters refuse, in the same way, before anything is sent: a caller that goes beyond
 * these is wrong, whatever the backend would have said. Throws `Bug`.
 */
export function checkTransaction(transaction: Transaction): void {
  const { when, then } = transaction
  assert(
    when.length <= limits.transactionComparisonsMax,
    `${when.length} comparisons: at most ${limits.transactionComparisonsMax}`,
  )
  assert(
    then.length <= limits.transactionOperationsMax,
    `${then.length} operations: at most ${limits.transactionOperationsMax}`,
  )
  for (const comparison of when) {
    checkKey(comparison.key)
    if ('revision' in comparison) checkRevision(comparison.revision)
  }
  checkOperations(then)
}

/** Keys are text that survives UTF-8 and SQLite: not empty, well formed, without NUL. */
export function checkKey(key: string): void {
  assert(key.length > 0, 'a key is not empty')
  checkText(key, 'key')
  const bytes = Buffer.byteLength(key)
  assert(bytes <= limits.keyBytesMax, `a key of ${bytes} bytes: at most ${limits.keyBytesMax}`)
}

/** A prefix is a key, or empty for everything. */
export function checkPrefix(prefix: string): void {
  if (prefix !== '') checkKey(prefix)
}

/** A revision is a whole number from 0. */
export function checkRevision(revision: number): void {
  assert(Number.isSafeInteger(revision) && revision >= 0, `not a revision: ${revision}`)
}

/** A time to live is positive and bounded. */
export function checkTtl(ttlMs: number): void {
  assert(
    ttlMs > 0 && ttlMs <= limits.leaseTtlMaxMs,
    `a lease of ${ttlMs} ms: more than 0, at most ${limits.leaseTtlMaxMs}`,
  )
}

function checkOperations(operations: Transaction['then']): void {
  const written = new Set<string>()
  const deleted = new Set<string>()
  let bytes = 0
  for (const operation of operations) {
    checkKey(operation.key)
    bytes += Buffer.byteLength(operation.key)
    if (operation.kind === 'delete') {
      deleted.add(operation.key)
      continue
    }
    // etcd refuses the same: within one revision a key has one outcome.
    assert(!written.has(operation.key), `put twice in one transaction: ${operation.key}`)
    written.add(operation.key)
    checkLeaseId(operation.lease)
    bytes += checkValue(operation.key, operation.value)
  }
  for (const key of written) {
    assert(!deleted.has(key), `put and deleted in one transaction: ${key}`)
  }
  assert(
    bytes <= limits.transactionBytesMax,
    `a transaction of ${bytes} bytes: at most ${limits.transactionBytesMax}`,
  )
}

/** An id is what a lease says: a positive number of 64 bits, in decimal. */
function checkLeaseId(id: string | undefined): void {
  if (id === undefined) return
  const isId = /^[1-9]\d{0,18}$/.test(id) && BigInt(id) <= leaseIdMax
  assert(isId, `not the id of a lease: ${id.slice(0, 40)}`)
}

const leaseIdMax = 2n ** 63n - 1n

function checkValue(key: string, value: string): number {
  checkText(value, 'value')
  const bytes = Buffer.byteLength(value)
  assert(
    bytes <= limits.valueBytesMax,
    `a value of ${bytes} bytes at ${key}: at most ${limits.valueBytesMax}`,
  )
  return bytes
}

function checkText(text: string, what: string): void {
  assert(text.isWellFormed(), `a ${what} is well-formed text: a lone surrogate has no UTF-8`)
  assert(!text.includes('\0'), `a ${what} has no NUL`)
}
