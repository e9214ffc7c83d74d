import type { IEvent, IWatchResponse } from 'etcd3'
import { describe, expect, test } from 'vitest'
import { createKeys } from '../../src/coordination/etcd/translate.ts'
import { createWatchReader } from '../../src/coordination/etcd/watch-reader.ts'
import type { WatchEvent } from '../../src/index.ts'

const response = (revision: number, more: Partial<IWatchResponse> = {}): IWatchResponse => ({
  header: { cluster_id: '1', member_id: '1', revision: String(revision), raft_term: '1' },
  watch_id: '0',
  created: false,
  canceled: false,
  compact_revision: '0',
  cancel_reason: '',
  fragment: false,
  events: [],
  ...more,
})

const put = (key: string, revision: number) =>
  ({
    type: 'Put',
    kv: {
      key: Buffer.from(`p${key}`),
      value: Buffer.from('v'),
      create_revision: '1',
      mod_revision: String(revision),
      version: '1',
      lease: '0',
    },
  }) as unknown as IEvent

/** A reader that has delivered up to revision 10. */
function setUp() {
  const told: WatchEvent[] = []
  const reader = createWatchReader(createKeys('p'), '1', 10, (event) => told.push(event))
  const summary = () =>
    told.map((event) =>
      event.kind === 'changes'
        ? [event.revision, ...event.changes.map((c) => (c.kind === 'put' ? c.entry.key : c.key))]
        : [event.kind, event.revision],
    )
  return { reader, summary }
}

describe('what etcd sends on one stream', () => {
  test('a response in fragments is delivered once, when it is complete', () => {
    const { reader, summary } = setUp()
    reader.read(response(10, { created: true }))
    reader.read(response(12, { events: [put('/a', 11), put('/b', 12)], fragment: true }))
    expect(summary()).toEqual([])
    reader.read(response(12, { events: [put('/c', 12)] }))
    expect(summary()).toEqual([[12, '/a', '/b', '/c']])
  })

  test('what was delivered is not delivered again', () => {
    const { reader, summary } = setUp()
    reader.read(response(12, { events: [put('/old', 10), put('/a', 11)] }))
    reader.read(response(12, { events: [put('/a', 11)] }))
    reader.read(response(12, { events: [put('/a', 11), put('/b', 12)] }))
    expect(summary()).toEqual([
      [11, '/a'],
      [12, '/b'],
    ])
  })

  test('the revision at which a watch was created is no progress, that of a notice is', () => {
    const { reader, summary } = setUp()
    reader.read(response(50, { created: true }))
    expect(summary()).toEqual([])
    reader.read(response(50))
    reader.read(response(50))
    reader.read(response(49))
    expect(summary()).toEqual([['progress', 50]])
  })

  test('a notice before the watch exists says nothing about it', () => {
    const { reader, summary } = setUp()
    reader.read(response(50))
    expect(summary()).toEqual([])
  })

  test('compaction and another cluster mean that history is lost, a refusal only that it broke', () => {
    const compacted = { created: false, canceled: true, compact_revision: '40' }
    expect(setUp().reader.read(response(50, compacted))?.kind).toBe('history-lost')
    const other = response(50)
    other.header.cluster_id = '2'
    expect(setUp().reader.read(other)?.kind).toBe('history-lost')
    const refused = response(50, { created: true, canceled: true, cancel_reason: 'no' })
    expect(setUp().reader.read(refused)).toEqual({ kind: 'broken', reason: 'refused: no' })
    expect(setUp().reader.read(response(50, { created: true }))).toBeUndefined()
  })
})
