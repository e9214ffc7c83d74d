import type { Chance } from './chance.ts'
import type { JsonSchema } from './openapi.ts'

/** A value that fits the schema, small as a rule. */
export function validValue(schema: JsonSchema, chance: Chance): unknown {
  if ('const' in schema) return schema.const
  if (schema.enum) return chance.pick(schema.enum)
  if (schema.anyOf) return validValue(chance.pick(schema.anyOf), chance)
  switch (schema.type) {
    case 'object':
      return validObject(schema, chance)
    case 'array':
      return validArray(schema, chance)
    case 'integer':
      return Math.round(validNumber(schema, chance))
    case 'number':
      return validNumber(schema, chance)
    case 'boolean':
      return chance.flip(0.5)
    case 'null':
      return null
    case 'string':
      return validText(schema, chance)
    default:
      return {}
  }
}

function validObject({ properties = {}, required = [] }: JsonSchema, chance: Chance): unknown {
  const given = Object.entries(properties).filter(
    ([name]) => required.includes(name) || chance.flip(0.6),
  )
  return Object.fromEntries(given.map(([name, schema]) => [name, validValue(schema, chance)]))
}

function validArray({ items = {}, minItems = 0, maxItems = 60 }: JsonSchema, chance: Chance) {
  const most = Math.min(maxItems, 60)
  const length = Math.min(most, minItems + chance.below(most + 1))
  return Array.from({ length }, () => validValue(items, chance))
}

function validNumber({ minimum = -1_000, maximum = 1_000 }: JsonSchema, chance: Chance): number {
  const edges = [minimum, maximum]
  if (chance.flip(0.1)) return chance.pick(edges)
  return minimum + chance.below(Math.min(maximum - minimum, 200))
}

function validText({ maxLength = 20, format }: JsonSchema, chance: Chance): string {
  if (format === 'date-time') return '2024-05-01T00:00:00Z'
  const length = 1 + chance.below(Math.min(maxLength, 20))
  const letters = Array.from(
    { length },
    () => 'abcdefghijklmnopqrstuvwxyz0123456789'[chance.below(36)],
  )
  return letters.join('')
}
