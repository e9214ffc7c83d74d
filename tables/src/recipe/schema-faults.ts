import type { TSchema } from 'typebox'
import type { Fault } from '../fault.ts'

type Check = { readonly Errors: (value: unknown) => readonly SchemaError[] }
type SchemaError = {
  readonly keyword: string
  readonly schemaPath: string
  readonly instancePath: string
  readonly params: object
}

/** What a value has against its schema, each fault once, in words for whoever wrote it. */
export function schemaFaults(
  check: Check,
  schema: TSchema,
  value: unknown,
  at: string,
): readonly Fault[] {
  const faults = new Map<string, Fault>()
  for (const error of check.Errors(value)) {
    // A union says what each of its branches misses, and then itself that none is left.
    if (error.schemaPath.includes('/anyOf/')) continue
    for (const fault of faultsOf(error, schema, value)) {
      const field = at + fault.field
      if (!faults.has(field)) faults.set(field, { ...fault, field })
    }
  }
  return [...faults.values()]
}

function faultsOf(error: SchemaError, schema: TSchema, value: unknown): readonly Fault[] {
  const { keyword, instancePath: field } = error
  const params = error.params as { readonly [name: string]: unknown }
  const rule = ruleAt(schema, error.schemaPath)
  const fault = (detail: string, remedy: string) => [{ field, detail, remedy }]
  const given = JSON.stringify(valueAt(value, field))?.slice(0, 100)
  if (given === undefined && keyword === 'type')
    return fault('It is missing.', `Give ${hintOf(rule)}.`)
  switch (keyword) {
    case 'boolean':
      return []
    case 'additionalProperties':
      return (params.additionalProperties as readonly string[]).map((name) => ({
        field: `${field}/${name}`,
        detail: 'This field is not known.',
        remedy: `Known are ${Object.keys(rule.properties ?? {}).join(', ')}.`,
      }))
    case 'required':
      return (params.requiredProperties as readonly string[]).map((name) => ({
        field: `${field}/${name}`,
        detail: 'This field is missing.',
        remedy: `Give ${hintOf(rule.properties?.[name] ?? {})}.`,
      }))
    case 'enum':
      return fault(`It is ${given}.`, `Give one of ${listed(rule.enum ?? [])}.`)
    case 'anyOf':
      return fault(`It is ${given}.`, `Give ${hintOf(rule)}.`)
    case 'type':
      return fault(`It is ${given}.`, `Give ${hintOf(rule)}.`)
    case 'minimum':
    case 'maximum':
      return fault(
        `It is ${given}.`,
        `Give a number from ${rule.minimum ?? 'any'} to ${rule.maximum ?? 'any'}.`,
      )
    case 'minLength':
    case 'maxLength':
      return fault(
        `It is ${given}.`,
        rule.minLength === rule.maxLength
          ? `Give a text of ${rule.maxLength} character${rule.maxLength === 1 ? '' : 's'}.`
          : `Give a text of ${rule.minLength ?? 0} to ${rule.maxLength} characters.`,
      )
    default:
      return fault(
        `It has too few or too many items.`,
        `Give ${rule.minItems ?? 0} to ${rule.maxItems} of them.`,
      )
  }
}

type Rule = {
  readonly properties?: { readonly [name: string]: Rule }
  readonly anyOf?: readonly Rule[]
  readonly enum?: readonly string[]
  readonly type?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
}

function ruleAt(schema: TSchema, path: string): Rule {
  return (valueAt(schema, path.replace(/^#/, '')) ?? {}) as Rule
}

function valueAt(value: unknown, pointer: string): unknown {
  let at = value
  for (const part of pointer.split('/').slice(1)) at = (at as { [name: string]: unknown })?.[part]
  return at
}

const listed = (words: readonly string[]) => words.map((word) => JSON.stringify(word)).join(', ')

function hintOf({ enum: words, anyOf, type = 'value' }: Rule): string {
  if (words !== undefined) return `one of ${listed(words)}`
  if (anyOf !== undefined) return anyOf.map(hintOf).join(' or ')
  if (type === 'null') return 'null'
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}
