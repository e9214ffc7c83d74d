import { Refused } from '@almanac/shared'
import type { FastifyRequest } from 'fastify'
import { isObject } from '../series-body.ts'

export type Fields = Readonly<Record<string, unknown>>

/** The object that a body is. Other fields than those that are read do no harm, as they did not. */
export function fieldsOf({ body }: FastifyRequest): Fields {
  if (isObject(body)) return body
  throw new Refused(400, 'not-an-object', 'The body must be a JSON object.')
}

/** A text, or a number as one. Throws a 400 that names the field. */
export function readText(fields: Fields, name: string): string {
  const text = readOptional(fields, name)
  if (text !== undefined) return text
  throw new Refused(400, 'missing', `${name} is missing.`, { field: `/${name}` })
}

/** The same where it may be left out. */
export function readOptional(fields: Fields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string' && value.length <= textCharactersMax) return value
  const detail = `${name} must be a text of at most ${textCharactersMax} characters.`
  throw new Refused(400, 'invalid', detail, { field: `/${name}` })
}

const textCharactersMax = 500
