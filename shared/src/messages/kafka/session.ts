import { Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import { type Delivery, deliver } from '../deliver.ts'
import type { KafkaPlace } from './client.ts'
import { joinGroup, type KafkaMember } from './member.ts'
import { createReader, type KafkaReader } from './reader.ts'
import type { Fetched } from './records.ts'

export type SessionParts = Delivery & {
  readonly place: KafkaPlace
  /** Told when the group is joined, and after each look how many messages wait. */
  readonly onJoined: () => void
  readonly onWaiting: (messages: number) => void
}

type Session = {
  readonly parts: SessionParts
  readonly member: KafkaMember
  readonly reader: KafkaReader
  /** Aborts when messages are no more to be taken, or the membership is lost. */
  readonly ended: AbortSignal
}

/**
 * One membership of the group, until the signal aborts. Rejects with `Unavailable` when it came to
 * an end by itself: what was not committed is then given to whoever reads the partition next.
 */
export async function consumeOnce(parts: SessionParts, stopping: AbortSignal): Promise<void> {
  const member = await joinGroup(parts.place, stopping)
  const reader = createReader(parts.place)
  const ended = AbortSignal.any([stopping, member.lost])
  const session: Session = { parts, member, reader, ended }
  try {
    parts.onJoined()
    while (!ended.aborted) await consumeGeneration(session)
    ended.throwIfAborted()
  } finally {
    await Promise.all([member.close(), reader.close()])
  }
}

/** Reads the partitions that were dealt to us, until they are dealt anew. */
async function consumeGeneration(session: Session): Promise<void> {
  const { parts, member, reader, ended } = session
  const mine = member.generation()
  const isSame = () => member.generation() === mine
  const isOurs = () => isSame() && !ended.aborted
  const positions = await startPositions(session)
  const ends = new Map<number, bigint>()
  while (isOurs()) {
    if (positions.size === 0) {
      await parts.clock.sleep(limits.messagePollMs, ended)
      continue
    }
    const fetched = await reader.fetch(positions, ended)
    for (const one of fetched) ends.set(one.partition, one.endOffset)
    for (const one of fetched) {
      if (!(await consumePart(session, one, positions, isSame))) return
    }
    parts.onWaiting(waitingOf(positions, ends))
  }
}

/**
 * Where to go on: after what was committed, or where the partition begins. What Kafka has dropped
 * meanwhile is said; a topic that was made anew begins anew.
 */
async function startPositions({ parts, member, reader, ended }: Session) {
  const ours = member.partitions()
  const positions = new Map<number, bigint>()
  if (ours.length === 0) return positions
  const committed = await member.committed(ended)
  const bounds = await reader.bounds(ended)
  for (const partition of ours) {
    const { first = 0n, end = 0n } = bounds[partition] ?? {}
    const wanted = committed.get(partition) ?? first
    const isThere = wanted >= first && wanted <= end
    if (!isThere)
      parts.onEvent('messages-missed', {
        partition,
        wanted: String(wanted),
        first: String(first),
        end: String(end),
      })
    positions.set(partition, isThere ? wanted : first)
  }
  return positions
}

/** Whether the partition is still ours at the end of what came of it. */
async function consumePart(
  session: Session,
  { partition, messages, nextOffset }: Fetched,
  positions: Map<number, bigint>,
  isSame: () => boolean,
): Promise<boolean> {
  const { parts, member, ended } = session
  for (const message of messages) {
    if (!isSame() || ended.aborted) return false
    await deliver(parts, message, ended)
    // Another may have it by now: what we commit would lead it back to where we were.
    if (!isSame()) return false
    if (!(await member.commit(partition, message.offset + 1n))) {
      await dealtAnew(session, isSame)
      return false
    }
    positions.set(partition, message.offset + 1n)
  }
  positions.set(partition, nextOffset)
  return true
}

/** A commit that is refused means that others join: soon it is known who has what. */
async function dealtAnew({ parts, ended }: Session, isSame: () => boolean): Promise<void> {
  const untilMs = parts.clock.monotonicMs() + limits.messageRebalanceMs
  while (isSame()) {
    if (parts.clock.monotonicMs() > untilMs)
      throw new Unavailable('messages', 'Kafka: a commit was refused, and nobody has joined')
    await parts.clock.sleep(limits.messagePauseMs, ended)
  }
}

function waitingOf(positions: ReadonlyMap<number, bigint>, ends: ReadonlyMap<number, bigint>) {
  let waiting = 0
  for (const [partition, position] of positions)
    waiting += Math.max(0, Number((ends.get(partition) ?? position) - position))
  return waiting
}
