import { type Codec, type Entry, Refused } from '@almanac/shared'

/** For a record without which a request cannot be answered; elsewhere such records are skipped. */
export function unreadable(key: string, fault: string): Refused {
  const detail = `${key} holds what this release cannot read: ${fault}.`
  return new Refused(409, 'unreadable-record', detail, {
    remedy: 'A later release may have written it; if none did, mend or delete the key.',
  })
}

/** The value of a record without which there is no going on. Throws a 409. */
export function mustDecode<T>(values: Pick<Codec<T>, 'decode'>, entry: Entry): T {
  const result = values.decode(entry.value)
  if (result.ok) return result.value
  throw unreadable(entry.key, result.fault)
}
