import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  absent,
  Bug,
  type Comparison,
  type Coordinator,
  createdAt,
  limits,
  Missing,
  modifiedAt,
  type Operation,
  present,
  put,
  remove,
  Unavailable,
} from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { follow } from './follow.ts'

export type Backend = {
  /** Two ways to the same key space: two clients, or the same one twice. It is empty. */
  readonly one: Coordinator
  readonly other: Coordinator
  close(): Promise<void>
}

export type BackendKind = {
  readonly name: string
  open(): Promise<Backend>
  /** The shortest lease that it grants. */
  readonly leaseTtlMs: number
}

const signal = new AbortController().signal
const write = (...then: Operation[]) => ({ when: [], then })

/** What every coordinator promises, whatever is behind it. */
export function coordinatorConformance(kind: BackendKind): void {
  let backend: Backend
  let one: Coordinator
  let other: Coordinator
  beforeEach(async () => {
    backend = await kind.open()
    one = backend.one
    other = backend.other
  })
  afterEach(async () => {
    await backend.close()
  })
  const value = async (key: string) => (await other.get(key, signal))?.value

  describe(`${kind.name}: reads`, () => {
    test('an acknowledged write is read at once, through any client', async () => {
      for (let i = 0; i < 20; i++) {
        const { revision } = await one.transact(write(put('/a', String(i))), signal)
        const entry = await other.get('/a', signal)
        expect(entry).toMatchObject({ key: '/a', value: String(i), modRevision: revision })
      }
      expect(await other.get('/b', signal)).toBeUndefined()
    })

    test('a list holds the prefix and nothing else, in the order of UTF-8', async () => {
      const inside = ['/a', '/a/', '/a/é', '/a/\uffee', '/a/😀', '/ab']
      const outside = ['/', '/A', '/b', 'a']
      await one.transact(write(...[...outside, ...inside].map((key) => put(key, key))), signal)
      const { entries, revision } = await other.list('/a', signal)
      expect(entries.map(({ key }) => key)).toEqual(inside)
      expect(entries.map(({ value }) => value)).toEqual(inside)
      expect(entries.every(({ modRevision }) => modRevision === revision)).toBe(true)
      expect((await other.list('', signal)).entries).toHaveLength(10)
    })

    test('a list of more keys than fit into a page is complete and of one revision', async () => {
      const keys = Array.from({ length: 600 }, (_, i) => `/many/${String(i).padStart(4, '0')}`)
      for (let i = 0; i < keys.length; i += 100) {
        await one.transact(write(...keys.slice(i, i + 100).map((key) => put(key, '0'))), signal)
      }
      // Both ends change together: a list that mixes revisions would tell them apart.
      const [first, last] = [keys[0] as string, keys.at(-1) as string]
      let writing = true
      const writer = (async () => {
        for (let i = 1; writing; i++) {
          await one.transact(write(put(first, `${i}`), put(last, `${i}`)), signal)
        }
      })()
      for (let i = 0; i < 10; i++) {
        const { entries } = await other.list('/many/', signal)
        expect(entries.map(({ key }) => key)).toEqual(keys)
        expect(entries.at(-1)?.value).toBe(entries[0]?.value)
      }
      writing = false
      await writer
    })

    test('text comes back as it was written', async () => {
      const texts = ['', ' ', 'é😀\uffff', '{"a":"\\u0000"}', '\n\r\t', 'x'.repeat(1_000)]
      await one.transact(write(...texts.map((text, i) => put(`/t${i}`, text))), signal)
      const { entries } = await other.list('/t', signal)
      expect(entries.map((entry) => entry.value)).toEqual(texts)
    })

    test('every client sees the same cluster id, again and again', async () => {
      const id = await one.clusterId(signal)
      expect(id).not.toBe('')
      expect(await other.clusterId(signal)).toBe(id)
      expect(await one.clusterId(signal)).toBe(id)
    })
  })

  describe(`${kind.name}: transactions`, () => {
    test('each comparison holds exactly when it should', async () => {
      const made = (await one.transact(write(put('/old', '1'), put('/gone', '1')), signal)).revision
      const changed = (await one.transact(write(put('/old', '2'), remove('/gone')), signal))
        .revision
      const table: [Comparison, boolean][] = [
        [absent('/never'), true],
        [absent('/gone'), true],
        [absent('/old'), false],
        [present('/never'), false],
        [present('/gone'), false],
        [present('/old'), true],
        [modifiedAt('/old', changed), true],
        [modifiedAt('/old', made), false],
        [modifiedAt('/never', 0), true],
        [modifiedAt('/old', 0), false],
        [modifiedAt('/gone', changed), false],
        [createdAt('/old', made), true],
        [createdAt('/old', changed), false],
        [createdAt('/gone', made), false],
        [createdAt('/never', 0), true],
        [{ kind: 'modified-at', key: '/never', revision: 0 }, true],
      ]
      for (const [comparison, expected] of table) {
        const { succeeded } = await one.transact({ when: [comparison], then: [] }, signal)
        expect([comparison, succeeded]).toEqual([comparison, expected])
      }
    })

    test('one comparison that fails undoes all, and takes no revision', async () => {
      const { revision } = await one.transact(write(put('/a', '1')), signal)
      const refused = await one.transact(
        { when: [present('/a'), absent('/a')], then: [put('/a', '2'), put('/b', '2')] },
        signal,
      )
      expect(refused).toEqual({ succeeded: false, revision })
      expect(await value('/a')).toBe('1')
      expect(await value('/b')).toBeUndefined()
    })

    test('all writes of a transaction share one revision, the next one', async () => {
      const { revision } = await one.transact(write(put('/x', '1')), signal)
      const result = await one.transact(write(put('/y', '1'), remove('/x'), put('/z', '1')), signal)
      expect(result).toEqual({ succeeded: true, revision: revision + 1 })
      const { entries } = await other.list('/', signal)
      expect(entries.map(({ key, modRevision }) => [key, modRevision])).toEqual([
        ['/y', revision + 1],
        ['/z', revision + 1],
      ])
    })

    test('a transaction that changes nothing takes no revision', async () => {
      const { revision } = await one.transact(write(put('/a', '1')), signal)
      const nothing = { succeeded: true, revision }
      expect(await one.transact(write(), signal)).toEqual(nothing)
      expect(await one.transact(write(remove('/never')), signal)).toEqual(nothing)
      const twice = await one.transact(write(remove('/a'), remove('/a')), signal)
      expect(twice).toEqual({ succeeded: true, revision: revision + 1 })
    })

    test('a key keeps its create revision while it lives, and gets a new one after', async () => {
      const first = (await one.transact(write(put('/a', '1')), signal)).revision
      const second = (await one.transact(write(put('/a', '2')), signal)).revision
      expect(await other.get('/a', signal)).toMatchObject({
        createRevision: first,
        modRevision: second,
      })
      await one.transact(write(remove('/a')), signal)
      const third = (await one.transact(write(put('/a', '3')), signal)).revision
      expect(await other.get('/a', signal)).toMatchObject({
        createRevision: third,
        modRevision: third,
      })
    })

    test('no increment is lost when many compete', async () => {
      const clients = [one, other]
      await one.transact(write(put('/counter', '0')), signal)
      const increment = async (client: Coordinator) => {
        for (;;) {
          const entry = await client.get('/counter', signal)
          if (!entry) throw new Error('the counter is gone')
          const next = put('/counter', String(Number(entry.value) + 1))
          const when = [modifiedAt('/counter', entry.modRevision)]
          if ((await client.transact({ when, then: [next] }, signal)).succeeded) return
        }
      }
      await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          for (let n = 0; n < 5; n++) await increment(clients[i % 2] as Coordinator)
        }),
      )
      expect(await value('/counter')).toBe('60')
    })

    test('of many who create the same key exactly one succeeds', async () => {
      const tries = Array.from({ length: 30 }, (_, i) =>
        (i % 2 ? one : other).transact(
          { when: [absent('/claim')], then: [put('/claim', String(i))] },
          signal,
        ),
      )
      const winners = (await Promise.all(tries)).flatMap(({ succeeded }, i) => (succeeded ? i : []))
      expect(winners).toHaveLength(1)
      expect(await value('/claim')).toBe(String(winners[0]))
    })
  })

  describe(`${kind.name}: limits`, () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => `/${i}`)

    test('a transaction as large as allowed goes through', async () => {
      const keys = many(limits.transactionOperationsMax)
      const when = many(limits.transactionComparisonsMax).map(absent)
      const all = await one.transact({ when, then: keys.map((key) => put(key, '1')) }, signal)
      expect(all.succeeded).toBe(true)
      const large = 'x'.repeat(limits.valueBytesMax)
      const largest = many(15).map((key) => put(key, large))
      expect((await one.transact(write(...largest), signal)).succeeded).toBe(true)
      const longest = '/'.padEnd(limits.keyBytesMax, 'k')
      await one.transact(write(put(longest, large)), signal)
      expect(await value(longest)).toBe(large)
    })

    const tooMuch: Record<string, { when?: Comparison[]; then?: Operation[] }> = {
      '101 comparisons': { when: many(101).map(absent) },
      '101 operations': { then: many(101).map(remove) },
      'a value beyond 64 KiB': { then: [put('/a', 'x'.repeat(65_537))] },
      'a value beyond 64 KiB in bytes, not characters': { then: [put('/a', 'é'.repeat(32_769))] },
      'values beyond 1 MiB together': { then: many(17).map((key) => put(key, 'x'.repeat(65_000))) },
      'a key put twice': { then: [put('/a', '1'), put('/a', '2')] },
      'a key put and deleted': { then: [put('/a', '1'), remove('/a')] },
      'a key deleted and put': { then: [remove('/a'), put('/a', '1')] },
      'an empty key': { then: [put('', '1')] },
      'a key beyond 1 KiB': { when: [absent('k'.repeat(1_025))] },
      'a key with a NUL': { then: [put('/a\0b', '1')] },
      'half a character': { then: [put('/a', '\ud83d')] },
      // To etcd no lease at all, or no answer; the embedded coordinator would have kept it.
      'a lease called nothing': { then: [put('/a', '1', '')] },
      'a lease called zero': { then: [put('/a', '1', '0')] },
      'a lease that is no number': { then: [put('/a', '1', 'lease')] },
      'a lease beyond 64 bits': { then: [put('/a', '1', '9223372036854775808')] },
      'a revision that is none': { when: [modifiedAt('/a', 1.5)] },
    }
    for (const [name, { when = [], then = [] }] of Object.entries(tooMuch)) {
      test(`${name}: refused as a bug, and nothing is written`, async () => {
        const refused = one.transact({ when, then: [...then, put('/mark', '1')] }, signal)
        await expect(refused).rejects.toThrow(Bug)
        expect((await other.list('', signal)).entries).toEqual([])
      })
    }

    test('a lease without a length is refused as a bug', async () => {
      await expect(one.grantLease(0, signal)).rejects.toThrow(Bug)
      await expect(one.grantLease(Number.NaN, signal)).rejects.toThrow(Bug)
      await expect(one.grantLease(1e12, signal)).rejects.toThrow(Bug)
    })
  })

  describe(`${kind.name}: leases`, () => {
    test('a key lives under the lease of its last put, or under none', async () => {
      const first = await one.grantLease(kind.leaseTtlMs, signal)
      const second = await one.grantLease(kind.leaseTtlMs, signal)
      expect(first.id).not.toBe(second.id)
      const leaseAfter = async (lease?: string) => {
        await one.transact(write(put('/a', '1', lease)), signal)
        return (await other.get('/a', signal))?.lease
      }
      expect(await leaseAfter(first.id)).toBe(first.id)
      expect(await leaseAfter(second.id)).toBe(second.id)
      expect(await leaseAfter()).toBeNull()
      expect(await leaseAfter(first.id)).toBe(first.id)
    })

    test('a revoked lease takes its keys with it, in one revision, and watches see it', async () => {
      const lease = await one.grantLease(kind.leaseTtlMs, signal)
      const seen = follow(other, '/')
      const kept = [put('/kept', '1'), put('/moved', '1', lease.id)]
      const leased = [put('/b', '1', lease.id), put('/a', '1', lease.id)]
      await one.transact(write(...kept, ...leased), signal)
      const { revision } = await one.transact(write(put('/moved', '2')), signal)
      await seen.until(() => seen.revision === revision)
      await lease.revoke(signal)
      expect((await other.list('/', signal)).entries.map(({ key }) => key)).toEqual([
        '/kept',
        '/moved',
      ])
      await seen.until(() => seen.revision === revision + 1)
      expect([...seen.entries.keys()].sort()).toEqual(['/kept', '/moved'])
      expect(seen.events.at(-1)).toMatchObject({
        kind: 'changes',
        changes: [
          { kind: 'delete', key: '/a', modRevision: revision + 1 },
          { kind: 'delete', key: '/b', modRevision: revision + 1 },
        ],
      })
      expect(seen.breaches).toEqual([])
    })

    test('a revoked lease is lost, and revoking it again does no harm', async () => {
      const lease = await one.grantLease(kind.leaseTtlMs, signal)
      expect(lease.validMs()).toBeGreaterThan(0)
      expect(lease.validMs()).toBeLessThanOrEqual(lease.ttlMs * 0.8)
      expect(lease.lost.aborted).toBe(false)
      await lease.revoke(signal)
      expect(lease.lost.aborted).toBe(true)
      expect(lease.validMs()).toBe(0)
      await lease.revoke(signal)
    })

    test('whoever revokes a lease finds its keys gone, though another one began to revoke it', async () => {
      for (let i = 0; i < 20; i++) {
        const lease = await one.grantLease(kind.leaseTtlMs, signal)
        await one.transact(write(put('/a', '1', lease.id)), signal)
        const found = [0, 1, 2].map(async () => {
          await lease.revoke(signal)
          return await value('/a')
        })
        expect(await Promise.all(found)).toEqual([undefined, undefined, undefined])
      }
    })

    test('a put under a lease that is not there is refused and changes nothing', async () => {
      const lease = await one.grantLease(kind.leaseTtlMs, signal)
      await lease.revoke(signal)
      const late = one.transact(write(put('/other', '1'), put('/late', '1', lease.id)), signal)
      await expect(late).rejects.toThrow(Missing)
      const never = one.transact(write(put('/late', '1', '7587869512345678')), signal)
      await expect(never).rejects.toThrow(Missing)
      expect((await other.list('', signal)).entries).toEqual([])
      // What does not come to the put does not mind.
      const not = { when: [present('/never')], then: [put('/late', '1', lease.id)] }
      expect((await one.transact(not, signal)).succeeded).toBe(false)
    })

    test('a lease is kept alive for longer than its time to live', async () => {
      const lease = await one.grantLease(kind.leaseTtlMs, signal)
      await one.transact(write(put('/a', '1', lease.id)), signal)
      const until = performance.now() + 2.5 * lease.ttlMs
      let leastMs = lease.ttlMs
      await eventually(
        () => {
          leastMs = Math.min(leastMs, lease.validMs())
          return performance.now()
        },
        (now) => now > until,
      )
      expect(leastMs).toBeGreaterThan(0)
      expect(lease.lost.aborted).toBe(false)
      expect(await value('/a')).toBe('1')
    })

    test('a lease cannot be trusted once its coordinator is closed', async () => {
      const lease = await one.grantLease(kind.leaseTtlMs, signal)
      await one.close()
      expect(lease.lost.aborted).toBe(true)
      expect(lease.validMs()).toBe(0)
    })
  })

  describe(`${kind.name}: watches`, () => {
    test('first comes a snapshot, then each change once, while others write', async () => {
      const keys = Array.from({ length: 10 }, (_, i) => `/w/${i}`)
      await one.transact(write(...keys.slice(0, 5).map((key) => put(key, 'before'))), signal)
      const writers = [0, 1, 2, 3].map(async (writer) => {
        const client = writer % 2 ? one : other
        for (let i = 0; i < 40; i++) {
          const key = keys[(i * 3 + writer) % keys.length] as string
          const then = i % 5 === 4 ? [remove(key)] : [put(key, `${writer}.${i}`), put('/x', '')]
          await client.transact(write(...then), signal)
        }
      })
      const watches = [follow(one, '/w/'), follow(other, '/w/')]
      await Promise.all(writers)
      watches.push(follow(one, '/w/'))
      const { revision } = await one.transact(write(put('/w/end', '')), signal)
      const { entries } = await one.list('/w/', signal)
      for (const seen of watches) {
        await seen.until(() => seen.revision >= revision)
        expect(seen.breaches).toEqual([])
        expect(seen.snapshots).toBe(1)
        expect([...seen.entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual(entries)
        expect(new Set(seen.changed).size).toBe(seen.changed.length)
      }
    })

    test('changes of one transaction arrive together, without those of other prefixes', async () => {
      const seen = follow(other, '/in/')
      await seen.until(() => seen.snapshots === 1)
      const inside = Array.from({ length: 50 }, (_, i) => put(`/in/${i}`, 'x'.repeat(15_000)))
      const { revision } = await one.transact(write(...inside, put('/out', '1')), signal)
      await seen.until(() => seen.revision >= revision)
      expect(seen.events).toHaveLength(2)
      expect(seen.events[1]).toMatchObject({ kind: 'changes', revision })
      expect(seen.changed).toHaveLength(50)
      expect(seen.breaches).toEqual([])
    })

    test('a watch learns how fresh it is when only others change', async () => {
      const seen = follow(other, '/quiet/')
      await seen.until(() => seen.snapshots === 1)
      const { revision } = await one.transact(write(put('/loud', '1')), signal)
      await seen.until(() => seen.revision >= revision)
      expect(seen.events.at(-1)).toMatchObject({ kind: 'progress' })
      expect(seen.watch.silentMs()).toBeLessThan(limits.watchSilenceMs)
      expect(seen.breaches).toEqual([])
    })

    test('a stopped watch is told nothing more', async () => {
      const stopped = follow(other, '/')
      const going = follow(other, '/')
      await stopped.until(() => stopped.snapshots === 1)
      await stopped.watch.stop()
      const { revision } = await one.transact(write(put('/a', '1')), signal)
      await going.until(() => going.revision === revision)
      expect(stopped.events).toHaveLength(1)
      await stopped.watch.stop()
    })

    test('a compaction changes nothing for those who are up to date', async () => {
      const seen = follow(other, '/')
      for (let i = 0; i < 5; i++) await one.transact(write(put('/a', String(i))), signal)
      const { revision } = await one.transact(write(remove('/a'), put('/b', '1')), signal)
      await seen.until(() => seen.revision === revision)
      await one.compact(revision, signal)
      await one.compact(revision - 1, signal)
      await expect(one.compact(revision + 1_000_000, signal)).rejects.toThrow(Bug)
      const next = await one.transact(write(put('/b', '2')), signal)
      await seen.until(() => seen.revision === next.revision)
      expect([seen.snapshots, seen.breaches]).toEqual([1, []])
      expect(await value('/b')).toBe('2')
      expect(await value('/a')).toBeUndefined()
    })
  })

  describe(`${kind.name}: giving up and closing`, () => {
    test('a caller who gave up before gets its own reason and nothing is done', async () => {
      const reason = new Error('the client left')
      const gone = AbortSignal.abort(reason)
      await expect(one.transact(write(put('/a', '1')), gone)).rejects.toBe(reason)
      await expect(one.get('/a', gone)).rejects.toBe(reason)
      await expect(one.list('/a', gone)).rejects.toBe(reason)
      await expect(one.grantLease(5_000, gone)).rejects.toBe(reason)
      expect(await value('/a')).toBeUndefined()
    })

    test('a closed coordinator refuses everything, and can be closed again', async () => {
      await one.close()
      await one.close()
      await expect(one.get('/a', signal)).rejects.toThrow(Unavailable)
      await expect(one.list('/a', signal)).rejects.toThrow(Unavailable)
      await expect(one.transact(write(put('/a', '1')), signal)).rejects.toThrow(Unavailable)
      await expect(one.grantLease(5_000, signal)).rejects.toThrow(Unavailable)
      await expect(one.clusterId(signal)).rejects.toThrow(Unavailable)
      expect(() => one.watch('/a', () => {})).toThrow(Bug)
    })
  })
}
