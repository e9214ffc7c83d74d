import { Refused } from '@almanac/shared'
import { type GivenRecipe, parseRecipe } from '@almanac/tables/recipe'
import { type Fields, readOptional } from './body.ts'
import type { Column, Look } from './look.ts'
import { timeFormatOf } from './time-format.ts'

/** Which column is what, as far as a request says so. */
export type Roles = {
  readonly time: string | undefined
  readonly target: string | undefined
  readonly category: string | undefined
  readonly dateFormat: string | undefined
  readonly frequency: string | undefined
}

export const readRoles = (fields: Fields): Roles => ({
  time: readOptional(fields, 'timeColumn'),
  target: readOptional(fields, 'targetColumn'),
  category: readOptional(fields, 'categoryColumn'),
  dateFormat: readOptional(fields, 'dateFormat'),
  frequency: readOptional(fields, 'frequency'),
})

/**
 * How a table becomes a series for each value of its category. What nobody has said is taken from
 * the table, where it says so clearly. Throws a 422 where it does not.
 */
export function recipeOf(look: Look, roles: Roles): GivenRecipe {
  const { columns } = look
  const time = roles.time ? named(columns, roles.time, 'timeColumn') : onlyTime(columns)
  const target = roles.target ? namedTarget(columns, roles.target) : onlyTarget(columns)
  const category = roles.category
    ? named(columns, roles.category, 'categoryColumn')
    : onlyCategory(look, [time, target])
  const frequency = look.recipe?.time.column === time.name ? look.recipe.frequency : 'daily'
  return checked({
    source: sourceOf(look),
    time: { column: time.name, format: formatOf(time, roles.dateFormat) },
    target: target.name,
    keys: [category.name],
    // Rows without a target were no rows.
    steps: [{ do: 'filter', column: target.name, is: 'present' }],
    frequency: (roles.frequency as GivenRecipe['frequency'] | undefined) ?? frequency,
    aggregate: 'sum',
  })
}

/** A recipe that others wrote parts of. Throws a 422 with what is wrong. */
export function checked(recipe: GivenRecipe): GivenRecipe {
  const parsed = parseRecipe(recipe)
  if (parsed.kind === 'done') return recipe
  const [fault] = parsed.faults
  throw new Refused(422, 'recipe', `The table cannot be read so. ${fault?.detail}`, {
    field: fault?.field ?? '',
    remedy: fault?.remedy ?? '',
  })
}

export const sourceOf = ({ recipe, source }: Look) => recipe?.source ?? source

/** How names were compared: in small letters, without signs. */
export const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

/** The column that a name means. */
function named(columns: readonly Column[], name: string, field: string): Column {
  const found = columns.filter((column) => plain(column.name) === plain(name))
  const exact = found.find((column) => column.name === name)
  if (exact !== undefined) return exact
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  const what = only === undefined ? 'There is no column' : 'There are several columns'
  throw unclear(`${what} ${JSON.stringify(name)}.`, field, columns)
}

/** With nothing but words every fit would fail; some words among numbers cost their rows. */
function namedTarget(columns: readonly Column[], name: string): Column {
  const column = named(columns, name, 'targetColumn')
  const [first] = column.examples
  const hasDigits = column.examples.some((text) => /\d/.test(text))
  if (column.type !== 'text' || first === undefined || hasDigits) return column
  const detail = `${column.name} has texts such as ${JSON.stringify(first)}, and no numbers.`
  throw unclear(detail, 'targetColumn', columns)
}

/** As the request says, or as all of the first rows have it. */
export function formatOf({ name, timeFormats }: Column, given: string | undefined): string {
  if (given !== undefined) return timeFormatOf(given)
  const [first, second] = timeFormats
  if (first !== undefined && second === undefined) return first
  const detail =
    first === undefined
      ? `${name} has no times that are known.`
      : `The times of ${name} fit ${timeFormats.join(' and ')}.`
  throw new Refused(422, 'unclear-table', detail, {
    field: '/dateFormat',
    remedy: 'Say dateFormat, such as dd/MM/yyyy or %d/%m/%Y.',
  })
}

const timeName = /date|time|day|month|week|^ds$/i
const targetName = /quantit|qty|sales|sold|units|demand|target|amount|volume|revenue|^y$/i
const idName = /(^|[_\W])(id|key|code|nr|no)$/i
const categoryName = /product|item|sku|article|category/i

function onlyTime(columns: readonly Column[]): Column {
  const times = columns.filter(({ type }) => type === 'time')
  return onlyOf([times, times.filter(({ name }) => timeName.test(name))], 'timeColumn', columns)
}

function onlyTarget(columns: readonly Column[]): Column {
  const numbers = columns.filter(({ type, name }) => type === 'number' && !idName.test(name))
  const likely = numbers.filter(({ name }) => targetName.test(name))
  return onlyOf([likely, likely.length === 0 ? numbers : []], 'targetColumn', columns)
}

function onlyCategory({ columns, recipe }: Look, taken: readonly Column[]): Column {
  const others = columns.filter((column) => !taken.includes(column))
  const likely = others.filter(({ name }) => categoryName.test(name) && !/price/i.test(name))
  const ids = likely.filter(({ name }) => idName.test(name))
  const keys = others.filter(({ name }) => recipe?.keys?.includes(name))
  const some = likely.length === 0 ? keys : []
  return onlyOf([likely, ids, some], 'categoryColumn', columns)
}

/** The first choice that leaves no other. */
function onlyOf(
  choices: readonly (readonly Column[])[],
  field: string,
  columns: readonly Column[],
): Column {
  for (const choice of choices) {
    const [only] = choice
    if (only !== undefined && choice.length === 1) return only
  }
  const found = choices.find((choice) => choice.length > 1)
  const which = found
    ? `It may be ${found.map(({ name }) => name).join(' or ')}.`
    : 'None looks so.'
  throw unclear(`The table does not say which is its ${field}. ${which}`, field, columns)
}

function unclear(detail: string, field: string, columns: readonly Column[]): Refused {
  const names = columns.map(({ name }) => name).join(', ')
  return new Refused(422, 'unclear-table', detail, {
    field: `/${field}`,
    remedy: `Name one in ${field}: there are ${names.slice(0, 500)}.`,
  })
}
