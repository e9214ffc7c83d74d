import type { Outcome } from '@almanac/engine'

/** What came out. A service tells its caller the reason instead of throwing it. */
export function resultOf<T>(outcome: Outcome<T>): T {
  if (outcome.kind !== 'refused') return outcome.value
  const { detail, field, remedy } = outcome.reason
  throw new Error([detail, field && `(${field})`, remedy].filter(Boolean).join(' '))
}

/** Numbers as they are read: a few digits each. */
export function shown(values: Iterable<number>): string {
  return [...values].map((value) => value.toFixed(1)).join(' ')
}
