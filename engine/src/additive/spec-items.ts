import type { Refusal } from '../family.ts'
import { daysOfText } from '../series/calendar-dates.ts'
import { type Field, listOf } from '../spec-fields.ts'

type Fields = Readonly<Record<string, Field<unknown>>>
type Item<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never }

/** An object inside of a spec, read by a table of its fields in that order. */
export function objectOf<F extends Fields>(fields: F): Field<Item<F>> {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return fault('wrong-type', `${name} has to be an object.`, name)
    }
    const known = Object.keys(fields)
    const stranger = Object.keys(value).find((key) => !known.includes(key))
    if (stranger !== undefined) {
      const short = JSON.stringify(stranger.slice(0, 100))
      return fault('unknown-field', `There is no ${short}; there are ${known.join(', ')}.`, name)
    }
    const item: Record<string, unknown> = {}
    for (const [key, read] of Object.entries(fields)) {
      const given = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
      const outcome = read(given, `${name}/${key}`)
      if ('fault' in outcome) return outcome
      item[key] = outcome.value
    }
    return { value: item as Item<F> }
  }
}

/** A name of 1 to 100 characters; required. */
export const nameField: Field<string> = (value, name) => {
  if (typeof value === 'string' && value.length >= 1 && value.length <= 100) {
    // A lone half of a pair of surrogates has no bytes of its own.
    if (value.isWellFormed()) return { value }
  }
  return fault('wrong-type', `${name} has to be a text of 1 to 100 characters.`, name)
}

/** A list of dates `YYYY-MM-DD` and numbers of steps after the first observation. */
export function choiceOfDates<D extends readonly never[] | null>(
  lengthMax: number,
  otherwise: D,
): Field<readonly (string | number)[] | D> {
  return listOf(dateOrStep, lengthMax, otherwise)
}

const stepMax = 1_000_000_000

const dateOrStep: Field<string | number> = (value, name) => {
  if (typeof value === 'string' && daysOfText(value) !== undefined) return { value }
  if (Number.isInteger(value) && Math.abs(value as number) <= stepMax) {
    return { value: (value as number) + 0 }
  }
  const detail = `${name} has to be a date like 2024-12-31 or a whole number of steps.`
  return fault('wrong-type', detail, name)
}

function fault(code: string, detail: string, name: string): { fault: Refusal } {
  return { fault: { code, detail, field: `/${name}` } }
}
