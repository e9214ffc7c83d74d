import { limits, namePattern, Refused, seriesKeyCharactersMax } from '@almanac/shared'
import type { Ask } from '../routing/ask.ts'

const name = new RegExp(namePattern)
const known = ['level', 'timestamps', 'version', 'at_least', 'series']

/** A forecast's path and query as a question. Throws a 400 that names the parameter at fault. */
export function readAsk(
  tenant: string,
  model: string,
  horizonText: string,
  query: Readonly<Record<string, unknown>>,
): Ask {
  readModelName(model)
  const horizon = readHorizon(horizonText)
  refuseStrangers(query, known)
  const version = readVersion(query.version)
  const atLeast = query.at_least === undefined ? null : readNumber('at_least', query.at_least)
  if (atLeast !== null && query.version !== undefined)
    throw fault('at_least', 'left out when version is given')
  const levels = readLevels(query.level)
  const timestamps = readFlag('timestamps', query.timestamps)
  const plain = { tenant, model, horizon, version, atLeast }
  if (query.series === undefined) return { ...plain, query: queryOf(levels, timestamps) }
  const series = readKey('series', query.series)
  const named = `series=${encodeURIComponent(series)}`
  return { ...plain, series, query: [queryOf(levels, timestamps), named].filter(Boolean).join('&') }
}

/** In one way only, so that equal questions have equal text. */
export function queryOf(levels: readonly number[], timestamps: boolean): string {
  const parts = [
    ...(levels.length > 0 ? [`level=${levels.join(',')}`] : []),
    ...(timestamps ? ['timestamps=true'] : []),
  ]
  return parts.join('&')
}

/** The key of a series, or how it begins. */
export function readKey(field: string, given: unknown): string {
  const isKey =
    typeof given === 'string' && given.length <= seriesKeyCharactersMax && given.isWellFormed()
  if (isKey) return given
  throw fault(field, `one text of at most ${seriesKeyCharactersMax} characters`)
}

/** Throws a 400 where a query has a parameter that nobody would look at. */
export function refuseStrangers(
  query: Readonly<Record<string, unknown>>,
  known: readonly string[],
): void {
  const stranger = Object.keys(query).find((key) => !known.includes(key))
  if (stranger === undefined) return
  const detail = `There is no parameter ${stranger.slice(0, 100)} here.`
  const remedy = `There are ${known.join(', ')}.`
  throw new Refused(400, 'unknown-parameter', detail, { field: stranger, remedy })
}

export function readModelName(model: string): string {
  if (name.test(model)) return model
  throw fault(
    'model',
    'a name of at most 63 small letters, digits, dots, dashes and underscores, beginning with a ' +
      'letter or digit',
  )
}

/** A version's number in a path. */
function readNumber(field: string, given: unknown): number {
  if (typeof given === 'string' && /^[1-9]\d{0,14}$/.test(given)) return Number(given)
  throw fault(field, 'a whole number from 1')
}

export function readHorizon(text: string): number {
  const horizon = Number(text)
  if (/^\d{1,6}$/.test(text) && horizon >= 1 && horizon <= limits.horizonMax) return horizon
  throw fault('horizon', `a whole number of steps from 1 to ${limits.horizonMax}`)
}

export function readVersion(given: unknown): Ask['version'] {
  if (given === undefined) return 'serving'
  if (given === 'serving' || given === 'previous' || given === 'latest') return given
  if (typeof given === 'string' && /^[1-9]\d{0,14}$/.test(given)) return Number(given)
  throw fault('version', 'a whole number from 1, or one of serving, previous, latest')
}

export function readLevels(given: unknown): readonly number[] {
  if (given === undefined) return []
  const texts = typeof given === 'string' ? given.split(',') : []
  const levels = texts.map((text) => (/^\d{1,2}(\.\d{1,4})?$/.test(text) ? Number(text) : 0))
  if (levels.length === 0 || levels.length > limits.levelsMax || levels.some((level) => level <= 0))
    throw fault(
      'level',
      `1 to ${limits.levelsMax} percentages above 0 and below 100, separated by commas`,
    )
  return [...new Set(levels)].sort((a, b) => a - b)
}

export function readFlag(field: string, given: unknown): boolean {
  if (given === undefined || given === 'false') return false
  if (given === 'true') return true
  throw fault(field, 'true or false')
}

export function fault(field: string, wanted: string): Refused {
  return new Refused(400, 'invalid', `${field} must be ${wanted}.`, { field })
}
