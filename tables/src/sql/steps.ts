import type { Fault } from '../fault.ts'
import type { FilterStep, Step } from '../recipe/schema.ts'
import type { Dialect } from './dialect.ts'
import { type NumberForm, numberOf } from './numbers.ts'
import { columnIn, isFault, type Scope, type ScopeColumn } from './scope.ts'
import { datePartOf, type TimeSql } from './times.ts'

/** A condition on which a row is left out, and why. */
export type RowRule = {
  readonly when: string
  /** What it was left out by: a step of the recipe, or the reading of a column. */
  readonly step: string
  readonly column: string
  readonly reason: string
  /** Left out because somebody wants it so, or because it cannot be used. */
  readonly outcome: 'dropped' | 'rejected'
}

type Applied = {
  readonly scope: Scope
  readonly rules: readonly RowRule[]
  readonly faults: readonly Fault[]
}

/** What is known of the rows while steps are applied. */
export type StepContext = {
  readonly dialect: Dialect
  readonly form: NumberForm
  readonly time: TimeSql
  /** Rows without a time, which have no parts of it either. */
  readonly timeRules: readonly RowRule[]
}

/** The scope after all steps, in their order, with the rows that they leave out. */
export function applySteps(steps: readonly Step[], first: Scope, context: StepContext): Applied {
  let applied: Applied = { scope: first, rules: [], faults: [] }
  for (const [i, step] of steps.entries()) {
    const next = applyStep(step, applied.scope, i, context)
    applied = {
      scope: next.scope ?? applied.scope,
      rules: [...applied.rules, ...(next.rules ?? [])],
      faults: [...applied.faults, ...(next.faults ?? [])],
    }
  }
  return applied
}

function applyStep(step: Step, scope: Scope, i: number, context: StepContext): Partial<Applied> {
  const field = `/steps/${i}`
  switch (step.do) {
    case 'select':
    case 'drop': {
      const faults = step.columns.flatMap((name, place) => {
        const found = columnIn(scope, name, `${field}/columns/${place}`)
        return isFault(found) ? [found] : []
      })
      const isKept = (name: string) => step.columns.includes(name) === (step.do === 'select')
      return { scope: new Map([...scope].filter(([name]) => isKept(name))), faults }
    }
    case 'rename': {
      const found = columnIn(scope, step.from, `${field}/from`)
      if (isFault(found)) return { faults: [found] }
      const taken = step.to === step.from ? [] : takenFaults(scope, step.to, `${field}/to`)
      const renamed = [...scope].map(
        ([name, column]) => [name === step.from ? step.to : name, column] as const,
      )
      return { scope: new Map(renamed), faults: taken }
    }
    case 'derive': {
      const sql = datePartOf(step.part, context.time, context.dialect)
      const column: ScopeColumn = { sql, kind: 'number' }
      const faults = takenFaults(scope, step.as, `${field}/as`)
      return { scope: new Map([...scope, [step.as, column]]), rules: context.timeRules, faults }
    }
    case 'filter': {
      const found = columnIn(scope, step.column, `${field}/column`)
      if (isFault(found)) return { faults: [found] }
      return filterRules(step, found, i, context)
    }
  }
}

function takenFaults(scope: Scope, name: string, field: string): readonly Fault[] {
  if (!scope.has(name)) return []
  const detail = `There is a column ${JSON.stringify(name)} already.`
  return [{ field, detail, remedy: 'Give another name, or drop that column before.' }]
}

/** A missing value passes `missing`, `!=` and `not in`, and nothing else. */
function filterRules(
  step: FilterStep,
  column: ScopeColumn,
  i: number,
  { dialect, form }: StepContext,
): Partial<Applied> {
  const isNumber = column.kind === 'number' || typeof step.value === 'number'
  const named = { step: `steps/${i}`, column: step.column }
  const rules: RowRule[] = []
  let sql = column.sql
  if (isNumber && column.kind === 'text') {
    sql = numberOf(column.sql, form, dialect)
    const when = `${column.sql} IS NOT NULL AND ${sql} IS NULL`
    rules.push({ ...named, when, reason: 'it is not a number', outcome: 'rejected' })
  }
  const values = (step.values ?? [step.value ?? '']).map((value) =>
    isNumber ? String(Number(value)) : dialect.literal(String(value)),
  )
  if (step.is !== 'missing' && step.is !== 'present' && values.includes('NaN')) {
    const detail = `${JSON.stringify(step.column)} is a number, and what it is compared with is not.`
    return { faults: [{ field: `/steps/${i}/value`, detail, remedy: 'Give a number.' }] }
  }
  const when = `NOT ${conditionOf(step.is, sql, values)}`
  const what = step.values?.join(', ') ?? step.value ?? ''
  const reason = `it is not ${step.is} ${what}`.trim()
  return { rules: [...rules, { ...named, when, reason, outcome: 'dropped' }] }
}

function conditionOf(is: FilterStep['is'], sql: string, values: readonly string[]): string {
  switch (is) {
    case 'missing':
      return `(${sql} IS NULL)`
    case 'present':
      return `(${sql} IS NOT NULL)`
    case 'in':
      return `COALESCE(${sql} IN (${values.join(', ')}), FALSE)`
    case 'not in':
      return `COALESCE(${sql} NOT IN (${values.join(', ')}), TRUE)`
    case '!=':
      return `COALESCE(${sql} <> ${values[0]}, TRUE)`
    default:
      return `COALESCE(${sql} ${is} ${values[0]}, FALSE)`
  }
}
