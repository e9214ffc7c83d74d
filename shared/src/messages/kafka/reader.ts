import { Consumer, ListOffsetTimestamps } from '@platformatic/kafka'
import { Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import { call, clientOptions, closeQuietly, type KafkaPlace } from './client.ts'
import { type Fetched, fetchedOf } from './records.ts'

/** Fetches what lies in partitions. No member of the group: its calls wait for messages. */
export type KafkaReader = {
  /** Of each partition the first offset that is there, and the one after the last. */
  readonly bounds: (signal: AbortSignal) => Promise<readonly Bounds[]>
  /** What comes at these positions, if anything does within a moment. */
  readonly fetch: (
    positions: ReadonlyMap<number, bigint>,
    signal: AbortSignal,
  ) => Promise<readonly Fetched[]>
  readonly close: () => Promise<void>
}

type Bounds = { readonly first: bigint; readonly end: bigint }

export function createReader(place: KafkaPlace): KafkaReader {
  const { topic, group } = place
  const client = new Consumer({ ...clientOptions(place), groupId: group })
  client.topics.track(topic)
  // What fails is told by the call that failed.
  client.on('error', () => {})
  const listed = async (timestamp: bigint, signal: AbortSignal) => {
    const listing = client.listOffsets({ topics: [topic], timestamp })
    return (await call('listing offsets', listing, undefined, signal)).get(topic) ?? []
  }
  const layout = async (signal: AbortSignal) => {
    const asking = client.metadata({ topics: [topic], autocreateTopics: true })
    const known = (await call('looking for the topic', asking, undefined, signal)).topics.get(topic)
    if (known) return known
    throw new Unavailable('messages', `Kafka has no topic ${topic}`)
  }
  return {
    bounds: async (signal) => {
      const first = await listed(ListOffsetTimestamps.EARLIEST, signal)
      const end = await listed(ListOffsetTimestamps.LATEST, signal)
      return first.map((offset, i) => ({ first: offset, end: end[i] ?? offset }))
    },
    fetch: async (positions, signal) => {
      const { id, partitions } = await layout(signal)
      const leaders = Map.groupBy(positions.keys(), (n) => partitions[n]?.leader ?? -1)
      const asking = [...leaders].map(async ([node, ours]) => {
        const wanted = ours.map((partition) => ({
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: positions.get(partition) ?? 0n,
          lastFetchedEpoch: -1,
          partitionMaxBytes: limits.messageBytesMax,
        }))
        const response = await client.fetch({
          node,
          topics: [{ topicId: id, partitions: wanted }],
          minBytes: 1,
          maxBytes: limits.messageFetchBytes,
          maxWaitTime: limits.messagePollMs,
        })
        return fetchedOf(response, topic, positions)
      })
      return (await call('fetching', Promise.all(asking), undefined, signal)).flat()
    },
    close: () => closeQuietly(client),
  }
}
