import type { Consumer, RecordsBatch } from '@platformatic/kafka'
import type { Message } from '../port.ts'

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>

/** What came of one partition. */
export type Fetched = {
  readonly partition: number
  readonly messages: readonly FetchedMessage[]
  /** Where to go on after all of them: control records and gaps are passed over. */
  readonly nextOffset: bigint
  /** What was written to the partition so far. */
  readonly endOffset: bigint
}

type FetchedMessage = Message & { readonly offset: bigint }

/** Bit 5 of a batch's attributes: the marks of transactions, which are no messages. */
const isControl = 0x20

/** The messages of an answer, from the offsets that were asked for. */
export function fetchedOf(
  response: FetchResponse,
  topic: string,
  asked: ReadonlyMap<number, bigint>,
): readonly Fetched[] {
  const parts = response.responses.flatMap(({ partitions }) => partitions)
  return parts.flatMap(({ partitionIndex: partition, records, highWatermark }) => {
    const from = asked.get(partition)
    // An answer may still have what an earlier one asked for.
    if (from === undefined) return []
    const batches = records ?? []
    const messages = batches.flatMap((batch) => messagesOf(batch, topic, partition))
    const nextOffset = batches.reduce((offset, batch) => maximum(offset, endOf(batch)), from)
    const fresh = messages.filter(({ offset }) => offset >= from)
    return [{ partition, messages: fresh, nextOffset, endOffset: highWatermark }]
  })
}

function messagesOf(batch: RecordsBatch, topic: string, partition: number): FetchedMessage[] {
  if ((batch.attributes & isControl) !== 0) return []
  return batch.records.map(({ offsetDelta, timestampDelta, value }) => {
    const offset = batch.firstOffset + BigInt(offsetDelta)
    const at = new Date(Number(batch.firstTimestamp + timestampDelta)).toISOString()
    const origin = { topic, partition, offset: String(offset) }
    return { origin, at, value: value ?? new Uint8Array(), offset }
  })
}

const endOf = ({ firstOffset, lastOffsetDelta }: RecordsBatch) =>
  firstOffset + BigInt(lastOffsetDelta) + 1n

const maximum = (a: bigint, b: bigint) => (a > b ? a : b)
