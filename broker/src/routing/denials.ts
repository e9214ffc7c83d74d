import type { Clock } from '@almanac/shared'
import type { Peer } from './peer.ts'

/** What nodes said that they do not have, for as long as it is to be believed. */
export type Denials = {
  readonly add: (peer: Peer, id: string, version: number) => void
  readonly has: (peer: Peer, id: string, version: number) => boolean
  readonly size: () => number
}

/** Long enough to try the others, short enough to notice that it was loaded again. */
const believedMs = 1_000
const sizeMax = 10_000

export function createDenials(clock: Pick<Clock, 'monotonicMs'>): Denials {
  /** When each runs out: in the order in which they do, since all last as long. */
  const ends = new Map<string, number>()
  return {
    add: (peer, id, version) => {
      const nowMs = clock.monotonicMs()
      const name = nameOf(peer, id, version)
      ends.delete(name)
      for (const [first, endMs] of ends) {
        if (endMs > nowMs && ends.size < sizeMax) break
        ends.delete(first)
      }
      ends.set(name, nowMs + believedMs)
    },
    has: (peer, id, version) => {
      if (ends.size === 0) return false
      const endMs = ends.get(nameOf(peer, id, version))
      return endMs !== undefined && endMs > clock.monotonicMs()
    },
    size: () => ends.size,
  }
}

function nameOf(peer: Peer, id: string, version: number): string {
  return `${peer.name} ${peer.instance} ${id} ${version}`
}
