import type { ICompare, IEvent, IKeyValue, IRequestOp } from 'etcd3'
import { assert, unreachable } from '../../base/assert.ts'
import type { Change, Comparison, Entry, Operation } from '../port.ts'

/** Between our keys and etcd's: the prefix of this cluster stands before every key. */
export type Keys = {
  toEtcd(key: string): Buffer
  fromEtcd(key: Buffer): string
}

export function createKeys(prefix: string): Keys {
  return {
    toEtcd: (key) => Buffer.from(prefix + key),
    fromEtcd(key) {
      const text = key.toString()
      assert(text.startsWith(prefix), 'etcd answered with a key outside of the prefix')
      return text.slice(prefix.length)
    },
  }
}

/** `[key, end)` is everything that begins with the prefix; a single NUL means 'from here on'. */
export function rangeOf(prefix: Buffer): { key: Buffer; range_end: Buffer } {
  if (prefix.length === 0) return { key: nul, range_end: nul }
  const end = Buffer.from(prefix)
  // UTF-8 has no byte 0xff, so that the last byte can always be raised.
  end[end.length - 1] = (end.at(-1) as number) + 1
  return { key: prefix, range_end: end }
}

/** The key just after: where the next page begins. */
export const after = (key: Buffer) => Buffer.concat([key, nul])

/** 64-bit numbers arrive as text. Revisions grow by one a write: they stay far below 2^53. */
export function toNumber(text: string): number {
  const value = Number(text)
  assert(Number.isSafeInteger(value), `not a safe integer: ${text}`)
  return value
}

export function toEntry(kv: IKeyValue, keys: Keys): Entry {
  return {
    key: keys.fromEtcd(kv.key),
    value: kv.value.toString(),
    createRevision: toNumber(kv.create_revision),
    modRevision: toNumber(kv.mod_revision),
    lease: kv.lease === '0' ? null : kv.lease,
  }
}

export function toChange(event: IEvent, keys: Keys): Change {
  const { kv } = event
  if (String(event.type) === 'Delete') {
    return { kind: 'delete', key: keys.fromEtcd(kv.key), modRevision: toNumber(kv.mod_revision) }
  }
  return { kind: 'put', entry: toEntry(kv, keys) }
}

export function toCompare(comparison: Comparison, keys: Keys): ICompare {
  const key = keys.toEtcd(comparison.key)
  switch (comparison.kind) {
    case 'absent':
      return { key, target: 'Create', result: 'Equal', create_revision: '0' }
    case 'present':
      return { key, target: 'Create', result: 'Greater', create_revision: '0' }
    case 'modified-at':
      return { key, target: 'Mod', result: 'Equal', mod_revision: String(comparison.revision) }
    case 'created-at':
      return {
        key,
        target: 'Create',
        result: 'Equal',
        create_revision: String(comparison.revision),
      }
    default:
      return unreachable(comparison)
  }
}

export function toRequest(operation: Operation, keys: Keys): IRequestOp {
  const key = keys.toEtcd(operation.key)
  if (operation.kind === 'delete') return { request_delete_range: { key } }
  const value = Buffer.from(operation.value)
  return { request_put: { key, value, lease: operation.lease ?? '0' } }
}

const nul = Buffer.from([0])
