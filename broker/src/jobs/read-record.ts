import type { Codec, Coordinator } from '@almanac/shared'
import { mustDecode } from './unreadable.ts'

/** A record as it was read at the coordinator. */
export type HeldRecord<R> = { readonly record: R; readonly modRevision: number }

/** At a linearizable read. Throws a 409 for one that this release cannot read. */
export async function readRecord<R>(
  { coordinator }: { readonly coordinator: Coordinator },
  key: string,
  values: Pick<Codec<R>, 'decode'>,
  signal: AbortSignal,
): Promise<HeldRecord<R> | undefined> {
  const entry = await coordinator.get(key, signal)
  return entry && { record: mustDecode(values, entry), modRevision: entry.modRevision }
}
