import { type Fault, type Outcome, refused } from '../fault.ts'
import { limits } from '../limits.ts'
import type { FeatureRule, Recipe } from '../recipe/recipe.ts'
import { timeFormatOf } from '../recipe/time-format.ts'
import type { Dialect } from './dialect.ts'
import { keyOf } from './keys.ts'
import { numberOf } from './numbers.ts'
import { columnIn, isFault, type Scope, type ScopeColumn } from './scope.ts'
import { applySteps, type RowRule } from './steps.ts'
import { periodOf, timeOf } from './times.ts'

/**
 * A recipe for the columns of one file. Rows are in `staged` with a number and each field as text
 * (`fieldName`), and are taken into `accepted`, whose `verdict` is 0, or says by which rule a row
 * was left out, counted from 1.
 */
export type Plan = {
  readonly rules: readonly RowRule[]
  readonly accepted: string
  /** The columns of `accepted` that hold features: x1, x2 … */
  readonly features: readonly FeatureRule[]
}

/** The name that a column of the file has in `staged`, by its place. */
export const fieldName = (place: number) => `f${place + 1}`
export const featureName = (place: number) => `x${place + 1}`

/** The recipe as SQL, or which of its columns there are not. */
export function planOf(
  recipe: Recipe,
  columns: readonly string[],
  dialect: Dialect,
): Outcome<Plan> {
  if (columns.length > limits.columnsMax) return refused(tooWide(columns.length))
  const scope = scopeOf(recipe, columns, dialect)
  const timeText = columnIn(scope, recipe.time.column, '/time/column')
  if (isFault(timeText)) return refused(timeText)
  const time = { wall: 'wall', instant: isZoned(recipe) ? 'instant' : 'wall' }
  const timeRules = timeRulesOf(recipe, timeText.sql)
  const { source: form } = recipe
  const applied = applySteps(recipe.steps, scope, { dialect, form, time, timeRules })
  const roles = rolesOf(recipe, applied.scope, dialect)
  const faults = [...applied.faults, ...roles.faults]
  if (faults.length > 0) return refused(...faults)

  const rules = distinct([...applied.rules, ...timeRules, ...roles.rules])
  const fields = columns.map((_, i) => fieldName(i))
  const parsed = timeOf(timeText.sql, timeFormatOf(recipe.time.format), recipe.time.zone, dialect)
  const timed = [
    'line',
    ...fields,
    `${parsed.wall} AS wall`,
    ...(isZoned(recipe) ? [`${parsed.instant} AS instant`] : []),
  ]
  const valued = [
    'line',
    ...fields,
    'wall',
    `${time.instant} AS moment`,
    `${periodOf(recipe.frequency, time, dialect)} AS period`,
    ...roles.selected,
  ]
  const cases = rules.map(({ when }, i) => `WHEN ${when} THEN ${i + 1}`)
  const verdict = cases.length === 0 ? '0' : `CASE ${cases.join(' ')} ELSE 0 END`
  const kept = roles.selected.map((item) => item.slice(item.lastIndexOf(' AS ') + 4))
  const judged = ['line', 'moment', 'period', ...kept, `${verdict} AS verdict`, ...fields]
  const final = ['line', 'moment', 'period', ...kept, 'verdict']
  const accepted =
    `SELECT ${final.join(', ')}, ` +
    `CASE WHEN verdict > 0 THEN ${rowText(fields, dialect)} END AS row_text\n` +
    `FROM (SELECT ${judged.join(', ')}\n` +
    `FROM (SELECT ${valued.join(', ')}\n` +
    `FROM (SELECT ${timed.join(', ')}\nFROM staged)))`
  return { kind: 'done', value: { rules, accepted, features: recipe.features } }
}

function tooWide(columns: number): Fault {
  const detail = `The table has ${columns} columns; at most ${limits.columnsMax} are taken.`
  return { field: '/source', detail, remedy: 'Check the delimiter, or leave some of them out.' }
}

/** Hours are counted in UTC, as some days have 23 of them or 25; days are counted on the wall. */
function isZoned({ frequency, time }: Recipe): boolean {
  return frequency === 'hourly' && time.zone !== 'UTC'
}

/** The columns of the file, without the texts that mean that there is no value. */
function scopeOf({ source }: Recipe, columns: readonly string[], dialect: Dialect): Scope {
  const missing = source.missing.filter((text) => text !== '').map(dialect.literal)
  const sqlOf = (field: string) =>
    missing.length === 0
      ? field
      : `CASE WHEN ${field} IN (${missing.join(', ')}) THEN NULL ELSE ${field} END`
  return new Map(
    columns.map((name, i) => [name, { sql: sqlOf(fieldName(i)), kind: 'text' } as const]),
  )
}

function timeRulesOf({ time }: Recipe, sql: string): readonly RowRule[] {
  const like = time.format === 'iso' ? 'a time in ISO 8601' : `a time as in ${time.format}`
  return [
    rejection(time.column, `${sql} IS NULL`, 'there is no time'),
    rejection(time.column, 'wall IS NULL', `it is not ${like}`),
    rejection(
      time.column,
      `NOT wall BETWEEN ${firstSecond} AND ${lastSecond}`,
      'it is too far away',
    ),
  ]
}

/** The years of four digits, less a day for time zones. */
const firstSecond = Date.UTC(1_000, 0, 2) / 1_000
const lastSecond = Date.UTC(9_999, 11, 30) / 1_000

function rejection(column: string, when: string, reason: string): RowRule {
  return { step: 'read', column, when, reason, outcome: 'rejected' }
}

type Roles = {
  readonly selected: readonly string[]
  readonly rules: readonly RowRule[]
  readonly faults: readonly Fault[]
}

/** Key, value, stock-out and features of a row. */
function rolesOf(recipe: Recipe, scope: Scope, dialect: Dialect): Roles {
  const selected: string[] = []
  const rules: RowRule[] = []
  const faults: Fault[] = []
  const column = (name: string, field: string): ScopeColumn => {
    const found = columnIn(scope, name, field)
    if (!isFault(found)) return found
    faults.push(found)
    return { sql: 'NULL', kind: 'text' }
  }
  const text = ({ sql, kind }: ScopeColumn) =>
    kind === 'text' ? sql : `CAST(${sql} AS ${dialect.textType})`
  const asNumber = (name: string, of: ScopeColumn, as: string) => {
    if (of.kind === 'number') return `CAST(${of.sql} AS DOUBLE) AS ${as}`
    const when = `${of.sql} IS NOT NULL AND ${as} IS NULL`
    rules.push(rejection(name, when, 'it is not a number'))
    return `${numberOf(of.sql, recipe.source, dialect)} AS ${as}`
  }

  const keys = recipe.keys.map((name, i) => ({ name, sql: text(column(name, `/keys/${i}`)) }))
  selected.push(`${keyOf(keys, dialect)} AS series_key`)
  for (const { name, sql } of keys)
    rules.push(rejection(name, `${sql} IS NULL`, 'there is no value for the key'))
  if (keys.length > 0) {
    const most = limits.keyCharactersMax
    const reason = `the key is longer than ${most} characters`
    rules.push(rejection(keys.at(-1)!.name, `LENGTH(series_key) > ${most}`, reason))
  }
  selected.push(asNumber(recipe.target, column(recipe.target, '/target'), 'value'))
  selected.push(`${stockOutOf(recipe, column, text, dialect)} AS sold_out`)
  for (const [i, { column: name, type }] of recipe.features.entries()) {
    const found = column(name, `/features/${i}/column`)
    const as = featureName(i)
    selected.push(type === 'number' ? asNumber(name, found, as) : `${text(found)} AS ${as}`)
  }
  return { selected, rules, faults }
}

function stockOutOf(
  { stockOutColumn }: Recipe,
  column: (name: string, field: string) => ScopeColumn,
  text: (of: ScopeColumn) => string,
  dialect: Dialect,
): string {
  if (stockOutColumn === null) return 'FALSE'
  const said = text(column(stockOutColumn.column, '/stockOuts/column'))
  const values = stockOutColumn.values.map((value) => dialect.literal(value.toLowerCase()))
  return `COALESCE(LOWER(${dialect.trimmed(said)}) IN (${values.join(', ')}), FALSE)`
}

/** Each rule once: several steps may ask for the time. */
function distinct(rules: readonly RowRule[]): readonly RowRule[] {
  return rules.filter(({ when }, i) => rules.findIndex((other) => other.when === when) === i)
}

/** The fields of a row as a line of CSV. */
function rowText(fields: readonly string[], dialect: Dialect): string {
  const quoted = fields.map((field) => {
    const doubled = `REPLACE(${field}, '"', '""')`
    const isSpecial = dialect.matches(field, '[",\r\n]')
    return `CASE WHEN ${isSpecial} THEN '"' || ${doubled} || '"' ELSE COALESCE(${field}, '') END`
  })
  return `SUBSTRING(${quoted.join(" || ',' || ")}, 1, ${limits.rejectedCharactersMax})`
}
