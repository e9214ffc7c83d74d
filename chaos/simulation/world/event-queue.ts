import type { Process } from './world.ts'

export type Scheduled = {
  atMs: number
  readonly order: number
  readonly owner: Process | undefined
  readonly work: () => void
  cancelled: boolean
}

/** A binary heap by time, then by order of making. */
export class EventQueue {
  readonly #heap: Scheduled[] = []
  #count = 0

  add(atMs: number, owner: Process | undefined, work: () => void): Scheduled {
    const event = { atMs, order: this.#count++, owner, work, cancelled: false }
    this.push(event)
    return event
  }

  /** Puts an event back whose time has changed; among equals it keeps its place. */
  push(event: Scheduled): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(heap[parent]!, event)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  clear(): void {
    this.#heap.length = 0
  }

  /** The next one that was not cancelled. */
  peek(): Scheduled | undefined {
    while (this.#heap[0]?.cancelled) this.pop()
    return this.#heap[0]
  }

  pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (isBefore(last, heap[child]!)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

const isBefore = (a: Scheduled, b: Scheduled) =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
