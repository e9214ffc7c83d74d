import type { ICompare, IKeyValue, IRequestOp } from 'etcd3'

/** What one revision did to one key, as a watch tells it. */
export type KeyEvent = {
  readonly type: 'Put' | 'Delete'
  readonly kv: IKeyValue
  /** The key as `textOf` has it. */
  readonly text: string
}

export type Revision = { readonly revision: number; readonly events: readonly KeyEvent[] }

/** An error as etcd words it. */
export class EtcdError extends Error {
  override name = 'EtcdError'
}

/** Bytes as text of one character each: they sort and compare as bytes do. */
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/**
 * Keys and values with their revisions, as etcd has them: every change is a revision, and former
 * ones can be read until they are compacted.
 */
export class KeyValues {
  revision = 1
  compacted = 0
  readonly history: Revision[] = []
  readonly #current = new Map<string, IKeyValue>()
  #sorted: string[] | undefined = []

  get(key: string): IKeyValue | undefined {
    return this.#current.get(key)
  }

  /** Keys from `from` up to but without `to`, in order; '\0' as the end means all from there on. */
  range(from: string, to: string, at: number): IKeyValue[] {
    const kvs = at === 0 || at === this.revision ? this.#current : this.#at(at)
    const keys = kvs === this.#current ? this.#keys() : [...kvs.keys()].sort()
    const found: IKeyValue[] = []
    for (let i = lowerBound(keys, from); i < keys.length; i += 1) {
      const key = keys[i]!
      if (to !== '\0' && key >= to) break
      found.push(kvs.get(key)!)
    }
    return found
  }

  /** All comparisons hold. */
  holds(compares: readonly ICompare[]): boolean {
    return compares.every((compare) => {
      const kv = this.#current.get(textOf(compare.key as Buffer))
      if (compare.target === 'Mod')
        return Number(compare.mod_revision) === Number(kv?.mod_revision ?? 0)
      const created = Number(kv?.create_revision ?? 0)
      const asked = Number(compare.create_revision)
      return compare.result === 'Greater' ? created > asked : created === asked
    })
  }

  /** Applies operations as one revision; none when nothing changes. */
  apply(
    operations: readonly IRequestOp[],
    hasLease: (id: string) => boolean,
  ): Revision | undefined {
    for (const { request_put: put } of operations) {
      const lease = put?.lease ?? '0'
      if (lease !== '0' && !hasLease(String(lease)))
        throw new EtcdError('etcdserver: requested lease not found')
    }
    const revision = this.revision + 1
    const events: KeyEvent[] = []
    for (const { request_put: put, request_delete_range: gone } of operations) {
      if (put) events.push(this.#put(put.key as Buffer, put.value as Buffer, put.lease, revision))
      else if (gone) events.push(...this.#delete(textOf(gone.key as Buffer), revision))
    }
    return this.#commit(revision, events)
  }

  /** Deletes keys as one revision, as when a lease ends. */
  remove(keys: readonly string[]): Revision | undefined {
    const revision = this.revision + 1
    return this.#commit(
      revision,
      keys.flatMap((key) => this.#delete(key, revision)),
    )
  }

  compact(revision: number): void {
    if (revision > this.revision)
      throw new EtcdError('etcdserver: mvcc: required revision is a future revision')
    if (revision <= this.compacted) throw compactedError()
    this.compacted = revision
  }

  /** Keys of a lease. */
  under(lease: string): string[] {
    return this.#keys().filter((key) => this.#current.get(key)!.lease === lease)
  }

  #commit(revision: number, events: KeyEvent[]): Revision | undefined {
    if (events.length === 0) return undefined
    this.revision = revision
    const done = { revision, events }
    this.history.push(done)
    return done
  }

  #put(key: Buffer, value: Buffer, lease: unknown, revision: number): KeyEvent {
    const text = textOf(key)
    const before = this.#current.get(text)
    if (!before) this.#sorted = undefined
    const kv: IKeyValue = {
      key,
      value,
      create_revision: before?.create_revision ?? String(revision),
      mod_revision: String(revision),
      version: String(Number(before?.version ?? 0) + 1),
      lease: String(lease ?? '0'),
    }
    this.#current.set(text, kv)
    return { type: 'Put', kv, text }
  }

  #delete(text: string, revision: number): KeyEvent[] {
    const before = this.#current.get(text)
    if (!before) return []
    this.#current.delete(text)
    this.#sorted = undefined
    const { key } = before
    const none = { create_revision: '0', version: '0', lease: '0', value: nothing }
    const kv = { ...none, key, mod_revision: String(revision) }
    return [{ type: 'Delete', kv, text }]
  }

  #keys(): readonly string[] {
    this.#sorted ??= [...this.#current.keys()].sort()
    return this.#sorted
  }

  #at(revision: number): Map<string, IKeyValue> {
    if (revision < this.compacted) throw compactedError()
    const kvs = new Map<string, IKeyValue>()
    for (const done of this.history) {
      if (done.revision > revision) break
      for (const { type, kv, text } of done.events)
        if (type === 'Put') kvs.set(text, kv)
        else kvs.delete(text)
    }
    return kvs
  }
}

const compactedError = () => new EtcdError('etcdserver: mvcc: required revision has been compacted')

const nothing = Buffer.alloc(0)

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}
