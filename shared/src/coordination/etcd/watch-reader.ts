import type { IEvent, IWatchResponse } from 'etcd3'
import type { Change, WatchEvent } from '../port.ts'
import { type Keys, toChange, toNumber } from './translate.ts'

/** Why a stream is of no use any more. */
type Verdict = { readonly kind: 'broken' | 'history-lost'; readonly reason: string }

/** Turns the responses of one stream into events; knows nothing of connections or time. */
export type WatchReader = {
  /** Undefined while the stream is good. */
  read(response: IWatchResponse): Verdict | undefined
}

/** Delivers what comes after `revision`, in whole revisions. */
export function createWatchReader(
  keys: Keys,
  clusterId: string,
  revision: number,
  deliver: (event: WatchEvent) => void,
): WatchReader {
  let delivered = revision
  let created = false
  // Parts of a response that was too large for one message.
  let parts: IEvent[] = []

  return {
    read(response) {
      const refused = refusalOf(response, clusterId)
      if (refused) return refused
      if (response.created) {
        // Its revision is where the store is, not how far this watch has come.
        created = true
        return undefined
      }
      parts.push(...response.events)
      if (response.fragment) return undefined
      const events = parts
      parts = []
      if (events.length > 0) {
        // What was delivered once is never delivered again, whatever is sent.
        const fresh = events.filter(({ kv }) => toNumber(kv.mod_revision) > delivered)
        const last = fresh.at(-1)
        if (!last) return undefined
        delivered = toNumber(last.kv.mod_revision)
        const changes: Change[] = fresh.map((event) => toChange(event, keys))
        deliver({ kind: 'changes', revision: delivered, changes })
        return undefined
      }
      const now = toNumber(response.header.revision)
      // Only a watch that exists and has caught up is told of progress.
      if (created && now > delivered) {
        delivered = now
        deliver({ kind: 'progress', revision: now })
      }
      return undefined
    },
  }
}

function refusalOf(response: IWatchResponse, clusterId: string): Verdict | undefined {
  if (response.header.cluster_id !== clusterId) {
    return { kind: 'history-lost', reason: 'another cluster answers' }
  }
  if (toNumber(response.compact_revision) > 0) {
    return { kind: 'history-lost', reason: `compacted up to ${response.compact_revision}` }
  }
  if (response.canceled) return { kind: 'broken', reason: `refused: ${response.cancel_reason}` }
  return undefined
}
