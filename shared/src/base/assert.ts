/** Thrown when the program itself is wrong: never for bad input, which is a value or a refusal. */
export class Bug extends Error {
  override name = 'Bug'
}

/** Stays on in production: a broken invariant must stop what it would corrupt. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Bug(message)
}

/** The end of a `switch` over a union: reached only by a bug or by an unchecked value. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${JSON.stringify(value)}`)
}
