import type { Outcome, Refusal, Report } from './family.ts'

/** A finished piece of work and what there is to say about it. */
export function done<T>(value: T, report: Report = {}): Outcome<T> {
  return { kind: 'done', value, report }
}

/** An expected no: a stable word for programs, a sentence for people. */
export function refused(reason: Refusal): { readonly kind: 'refused'; readonly reason: Refusal } {
  return { kind: 'refused', reason }
}

/** Ends a switch over a union: a case that is forgotten fails the type check. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`)
}

/** Guards what only a bug can break; stays on in production. */
export function assert(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new Error(`broken promise: ${promise}`)
}
