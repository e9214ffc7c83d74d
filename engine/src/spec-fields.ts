import type { Outcome, Refusal } from './family.ts'
import { done, refused } from './outcome.ts'

/** How one field of a spec is read: its value or its default, or why it is refused. */
export type Field<T> = (value: unknown, name: string) => { value: T } | { fault: Refusal }

type Fields = Readonly<Record<string, Field<unknown>>>
type Parsed<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never
}

/**
 * Reads a spec by a table of its fields, in the order of the table, so that equal specs have equal
 * JSON. A field that is not in the table is refused with the list of those that are.
 */
export function parseFields<Name extends string, F extends Fields>(
  family: Name,
  fields: F,
  spec: Readonly<Record<string, unknown>>,
): Outcome<{ readonly family: Name } & Parsed<F>> {
  const known = ['family', ...Object.keys(fields)]
  const stranger = Object.keys(spec).find((name) => !known.includes(name))
  if (stranger !== undefined) {
    const short = stranger.slice(0, 100)
    return refused({
      code: 'unknown-field',
      detail: `The family ${family} has no field ${JSON.stringify(short)}.`,
      field: `/${pointer(short)}`,
      remedy: `The fields are ${known.join(', ')}.`,
    })
  }
  const parsed: Record<string, unknown> = { family }
  for (const [name, read] of Object.entries(fields)) {
    const outcome = read(Object.hasOwn(spec, name) ? spec[name] : undefined, name)
    if ('fault' in outcome) return refused(outcome.fault)
    parsed[name] = outcome.value
  }
  return done(parsed as { readonly family: Name } & Parsed<F>)
}

/** A whole number within [min, max]. */
export function wholeNumber<D extends number | null>(
  min: number,
  max: number,
  otherwise: D,
): Field<number | D> {
  return (value, name) => {
    if (isAbsent(value, otherwise)) return { value: otherwise }
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) {
      return { value: (value as number) + 0 }
    }
    return wrong(value, name, 'number', `a whole number from ${min} to ${max}`)
  }
}

/** A finite number within [min, max]. */
export function realNumber<D extends number | null>(
  min: number,
  max: number,
  otherwise: D,
): Field<number | D> {
  return (value, name) => {
    if (isAbsent(value, otherwise)) return { value: otherwise }
    if (typeof value === 'number' && value >= min && value <= max) return { value: value + 0 }
    return wrong(value, name, 'number', `a number from ${min} to ${max}`)
  }
}

export function flag<D extends boolean | null>(otherwise: D): Field<boolean | D> {
  return (value, name) => {
    if (isAbsent(value, otherwise)) return { value: otherwise }
    return typeof value === 'boolean' ? { value } : wrong(value, name, 'boolean', 'true or false')
  }
}

export function oneOf<T extends string, D extends T | null>(
  words: readonly T[],
  otherwise: D,
): Field<T | D> {
  return (value, name) => {
    if (isAbsent(value, otherwise)) return { value: otherwise }
    const word = words.find((known) => known === value)
    return word === undefined
      ? wrong(value, name, 'string', `one of ${words.join(', ')}`)
      : { value: word }
  }
}

/** A list of at most `lengthMax` items, each read by a field of its own. */
export function listOf<T, D>(
  item: Field<T>,
  lengthMax: number,
  otherwise: D,
): Field<readonly T[] | D> {
  return (value, name) => {
    if (isAbsent(value, otherwise)) return { value: otherwise }
    if (!Array.isArray(value)) return wrong(value, name, 'object', 'a list')
    if (value.length > lengthMax)
      return wrong(value, name, 'object', `a list of at most ${lengthMax} items`)
    const items: T[] = []
    for (const [at, entry] of value.entries()) {
      const outcome = item(entry === undefined ? null : entry, `${name}/${at}`)
      if ('fault' in outcome) return outcome
      items.push(outcome.value)
    }
    return { value: items }
  }
}

/** Left out; null says the same where null is what a field is without a value. */
function isAbsent(value: unknown, otherwise: unknown): boolean {
  return value === undefined || (value === null && otherwise === null)
}

function wrong(value: unknown, name: string, type: string, wanted: string): { fault: Refusal } {
  const code = typeof value === type ? 'out-of-range' : 'wrong-type'
  return { fault: { code, detail: `${name} has to be ${wanted}.`, field: `/${name}` } }
}

function pointer(field: string): string {
  return field.replaceAll('~', '~0').replaceAll('/', '~1')
}
