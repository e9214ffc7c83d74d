import {
  type Codec,
  type Comparison,
  type Coordinator,
  type Entry,
  modifiedAt,
  type Operation,
  put,
  remove,
  Unavailable,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { contention } from './contention.ts'
import { type HeldRecord, readRecord } from './read-record.ts'
import { unheard } from './unheard.ts'

type ReadParts = {
  readonly coordinator: Coordinator
  readonly bounds: Pick<Bounds, 'coordinatorCallMs'>
}

type EditParts = ReadParts & { readonly bounds: Pick<Bounds, 'contentionTriesMax'> }

/** Where a record of what a client asked for is kept, and how. */
export type Kept<R> = { readonly key: string; readonly values: Codec<R> }

/** At a linearizable read. Throws a 409 for one that this release cannot read. */
export const findKept = <R>(
  parts: ReadParts,
  { key, values }: Kept<R>,
): Promise<HeldRecord<R> | undefined> => readRecord(parts, key, values, deadline(parts))

/** All below a prefix, at a linearizable read, in the order of their keys. */
export async function listKept(parts: ReadParts, prefix: string): Promise<readonly Entry[]> {
  return (await parts.coordinator.list(prefix, deadline(parts))).entries
}

/** How a record is changed; both are asked again when somebody else was first. */
export type Change<R> = {
  /** For a person, where others are always first. */
  readonly what: string
  /** What else has to hold; asked before the record is read. Whatever it throws is thrown. */
  readonly holds?: () => Promise<readonly Comparison[]>
  /** What the record becomes; undefined: there was none. The same. */
  readonly changed: (before: R | undefined) => Promise<R>
}

/** Makes a record, or changes it as it was read. Throws `Refused`: 409 or 503. */
export async function putKept<R>(
  parts: EditParts,
  kept: Kept<R>,
  { what, holds, changed }: Change<R>,
): Promise<{ readonly record: R; readonly isNew: boolean }> {
  const { key, values } = kept
  for (let tries = 1; tries <= parts.bounds.contentionTriesMax; tries += 1) {
    const also = (await holds?.()) ?? []
    const held = await findKept(parts, kept)
    const record = await changed(held?.record)
    const when = [modifiedAt(key, held?.modRevision ?? 0), ...also]
    if (await transact(parts, when, [put(key, values.encode(record))]))
      return { record, isNew: held === undefined }
  }
  throw contention(what)
}

/** False: there was none. One that this release cannot read is removed, too. */
export async function removeKept(parts: ReadParts, key: string): Promise<boolean> {
  const entry = await parts.coordinator.get(key, deadline(parts))
  if (entry === undefined) return false
  await transact(parts, [], [remove(key)])
  return true
}

async function transact(
  parts: ReadParts,
  when: readonly Comparison[],
  then: readonly Operation[],
): Promise<boolean> {
  try {
    return (await parts.coordinator.transact({ when, then }, deadline(parts))).succeeded
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    throw unheard('Do it again: that does no harm.')
  }
}

const deadline = ({ bounds }: ReadParts) => AbortSignal.timeout(bounds.coordinatorCallMs)
