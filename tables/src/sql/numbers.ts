import type { Dialect } from './dialect.ts'

export type NumberForm = { readonly decimal: string; readonly thousands: string }

/** The number that a text is, null where it is none, or beyond what a double holds. */
export function numberOf(text: string, form: NumberForm, dialect: Dialect): string {
  const { decimal, thousands } = form
  const [point, group] = [inPattern(decimal), inPattern(thousands)]
  const whole = group === '' ? '[0-9]+' : `([0-9]+|[0-9]{1,3}(${group}[0-9]{3})+)`
  // Databases take more than this for a number, each something else: 1_000, 1d, nan.
  const pattern = `^[+-]?(${whole}${point}?[0-9]*|${point}[0-9]+)([eE][+-]?[0-9]+)?$`
  const trimmed = dialect.trimmed(text)
  const bare = thousands === '' ? trimmed : replaced(trimmed, thousands, '', dialect)
  const plain = decimal === '.' ? bare : replaced(bare, decimal, '.', dialect)
  const number = `TRY_CAST(${plain} AS DOUBLE)`
  return (
    `CASE WHEN ${dialect.matches(trimmed, pattern)} AND ABS(${number}) <= ${largest} ` +
    `THEN ${number} END`
  )
}

const largest = '1.7976931348623157e308'

const inPattern = (character: string) => (character === '' ? '' : `[${character}]`)

function replaced(text: string, from: string, to: string, { literal }: Dialect): string {
  return `REPLACE(${text}, ${literal(from)}, ${literal(to)})`
}
