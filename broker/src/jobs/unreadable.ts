import { Refused } from '@almanac/shared'

/** For a record without which a request cannot be answered; elsewhere such records are skipped. */
export function unreadable(key: string, fault: string): Refused {
  const detail = `${key} holds what this release cannot read: ${fault}.`
  return new Refused(409, 'unreadable-record', detail, {
    remedy: 'A later release may have written it; if none did, mend or delete the key.',
  })
}
