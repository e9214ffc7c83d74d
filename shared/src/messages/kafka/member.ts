import { Consumer, findErrorBy } from '@platformatic/kafka'
import { Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import { call, clientOptions, closeQuietly, type KafkaPlace } from './client.ts'

/** Membership of the group: which partitions are ours, and what of them is consumed. */
export type KafkaMember = {
  /** Aborts when it is lost for good, as a member that could not join again. */
  readonly lost: AbortSignal
  /** Raised whenever partitions were dealt anew: what was read before may be another's now. */
  readonly generation: () => number
  readonly partitions: () => readonly number[]
  /** By partition; none where nothing was committed. */
  readonly committed: (signal: AbortSignal) => Promise<ReadonlyMap<number, bigint>>
  /** Whether it was taken. It is not while partitions are dealt anew. */
  readonly commit: (partition: number, offset: bigint) => Promise<boolean>
  readonly close: () => Promise<void>
}

/** Joins the group. Rejects with `Unavailable`, with nothing left open. */
export async function joinGroup(place: KafkaPlace, signal: AbortSignal): Promise<KafkaMember> {
  const { topic, group } = place
  const lost = new AbortController()
  let generation = 0
  const client = new Consumer({
    ...clientOptions(place),
    groupId: group,
    sessionTimeout: limits.messageSessionMs,
    rebalanceTimeout: limits.messageRebalanceMs,
    heartbeatInterval: limits.messageHeartbeatMs,
    heartbeatStallTimeout: limits.messageSessionMs,
  })
  const lose = (why: string) => lost.abort(new Unavailable('messages', `Kafka: ${why}`))
  client.on('error', (error: Error) => lose(error.message))
  client.on('consumer:heartbeat:stalled', () => lose('the group does not hear us'))
  client.on('consumer:group:join', () => {
    generation += 1
  })
  client.topics.track(topic)
  try {
    await call('joining the group', client.joinGroup({}), joinMs, signal)
  } catch (error) {
    await closeQuietly(client)
    throw error
  }
  const partitions = () => client.assignments?.find((one) => one.topic === topic)?.partitions ?? []
  return {
    lost: lost.signal,
    generation: () => generation,
    partitions,
    committed: async (until) => {
      const ours = [...partitions()]
      const asking = client.listCommittedOffsets({ topics: [{ topic, partitions: ours }] })
      const found = (await call('reading offsets', asking, undefined, until)).get(topic) ?? []
      const known = ours.flatMap((partition) => {
        const offset = found[partition]
        return offset !== undefined && offset >= 0n ? [[partition, offset] as const] : []
      })
      return new Map(known)
    },
    commit: async (partition, offset) => {
      const offsets = [{ topic, partition, offset, leaderEpoch: -1 }]
      try {
        await call(
          'committing',
          Promise.resolve(client.commit({ offsets })),
          undefined,
          lost.signal,
        )
        return true
      } catch (error) {
        if (findErrorBy((error as Error).cause as Error, 'needsRejoin', true)) return false
        throw error
      }
    },
    close: () => closeQuietly(client),
  }
}

/** As long as all others may take to join anew, and a death is noticed. */
const joinMs = limits.messageRebalanceMs + limits.messageCallMs
