import { unreachable } from '../../base/assert.ts'
import { Missing } from '../../base/errors.ts'
import type {
  Change,
  Comparison,
  Entry,
  Operation,
  Transaction,
  TransactionResult,
} from '../port.ts'
import { compareKeys, entryOf, type KeySpace, keyOf } from './key-space.ts'

/**
 * A batch in the making: the key space with changes on top that are not on disk yet. Dropped when
 * the disk refuses them.
 */
export type Draft = {
  readonly revision: number
  readonly changes: readonly Change[]
  get(key: string): Entry | undefined
  underLease(lease: string): readonly string[]
  /** Adds the changes of one revision, the next one. */
  add(changes: readonly Change[]): void
}

export function createDraft(space: KeySpace): Draft {
  const touched = new Map<string, Entry | undefined>()
  const changes: Change[] = []
  let revision = space.revision
  const get = (key: string) => (touched.has(key) ? touched.get(key) : space.get(key))
  return {
    get revision() {
      return revision
    },
    changes,
    get,
    underLease(lease) {
      const keys = new Set([...space.underLease(lease), ...touched.keys()])
      return [...keys].filter((key) => get(key)?.lease === lease).sort(compareKeys)
    },
    add(next) {
      for (const change of next) touched.set(keyOf(change), entryOf(change))
      changes.push(...next)
      revision += 1
    },
  }
}

/**
 * One transaction on a draft, with etcd's meaning: all writes get one revision, and a transaction
 * that changes nothing gets none. Throws `Missing` when a put names a lease that is not there.
 */
export function evaluate(
  transaction: Transaction,
  draft: Draft,
  leaseExists: (lease: string) => boolean,
): TransactionResult {
  if (!transaction.when.every((comparison) => holds(comparison, draft))) {
    return { succeeded: false, revision: draft.revision }
  }
  for (const operation of transaction.then) {
    if (operation.kind === 'put' && operation.lease && !leaseExists(operation.lease)) {
      throw new Missing(`lease ${operation.lease} is not there`)
    }
  }
  const revision = draft.revision + 1
  const deleted = new Set<string>()
  const changes = transaction.then.flatMap((operation) => {
    if (operation.kind === 'delete' && deleted.has(operation.key)) return []
    if (operation.kind === 'delete') deleted.add(operation.key)
    return changeBy(operation, draft, revision)
  })
  if (changes.length > 0) draft.add(changes)
  return { succeeded: true, revision: draft.revision }
}

/** Deletes all keys of a lease at one revision, as etcd does when a lease ends. */
export function endLease(lease: string, draft: Draft): void {
  const keys = draft.underLease(lease)
  const modRevision = draft.revision + 1
  if (keys.length > 0) draft.add(keys.map((key) => ({ kind: 'delete', key, modRevision })))
}

function holds(comparison: Comparison, draft: Draft): boolean {
  const entry = draft.get(comparison.key)
  switch (comparison.kind) {
    case 'absent':
      return entry === undefined
    case 'present':
      return entry !== undefined
    case 'modified-at':
      return (entry?.modRevision ?? 0) === comparison.revision
    case 'created-at':
      return (entry?.createRevision ?? 0) === comparison.revision
    default:
      return unreachable(comparison)
  }
}

function changeBy(operation: Operation, draft: Draft, revision: number): Change[] {
  const before = draft.get(operation.key)
  const { key } = operation
  if (operation.kind === 'delete') {
    return before ? [{ kind: 'delete', key, modRevision: revision }] : []
  }
  const entry: Entry = {
    key,
    value: operation.value,
    createRevision: before?.createRevision ?? revision,
    modRevision: revision,
    lease: operation.lease ?? null,
  }
  return [{ kind: 'put', entry }]
}
