import type { IWatchResponse } from 'etcd3'
import type { Etcd } from './etcd.ts'
import { type Revision, textOf } from './key-values.ts'

type CreateRequest = { key?: Buffer; range_end?: Buffer; start_revision?: string | number }

/** One watch as etcd sees it: what it sends, and in which order. */
export class ServerWatch {
  readonly #etcd: Etcd
  readonly #send: (response: IWatchResponse) => void
  #from = ''
  #to = ''
  #isOpen = false

  constructor(etcd: Etcd, send: (response: IWatchResponse) => void) {
    this.#etcd = etcd
    this.#send = send
  }

  create(request: CreateRequest): void {
    const { data, watches } = this.#etcd
    this.#from = textOf(request.key!)
    this.#to = request.range_end ? textOf(request.range_end) : `${this.#from}\0`
    const start = Number(request.start_revision ?? data.revision + 1)
    this.#send(this.#response({ created: true }))
    if (start <= data.compacted) {
      const compact_revision = String(data.compacted)
      this.#send(this.#response({ canceled: true, compact_revision }))
      return
    }
    this.#isOpen = true
    watches.add(this)
    for (const done of data.history) if (done.revision >= start) this.tell(done)
  }

  /** A revision is sent whole, as far as it is about the watched keys. */
  tell(done: Revision): void {
    const events = done.events.filter(
      ({ text }) => text >= this.#from && (this.#to === '\0' || text < this.#to),
    )
    if (events.length === 0) return
    const own = events.map(({ type, kv }) => ({ type, kv, prev_kv: kv }))
    this.#send(this.#response({ events: own }))
  }

  progress(): void {
    if (this.#isOpen) this.#send(this.#response({}))
  }

  close(): void {
    this.#isOpen = false
    this.#etcd.watches.delete(this)
  }

  #response(what: Partial<IWatchResponse>): IWatchResponse {
    return {
      header: this.#etcd.header(),
      watch_id: '0',
      created: false,
      canceled: false,
      compact_revision: '0',
      cancel_reason: '',
      fragment: false,
      events: [],
      ...what,
    }
  }
}
