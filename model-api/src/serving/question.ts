import { limits, Refused } from '@almanac/shared'

/** What a forecast is asked for, checked. */
export type Question = {
  readonly horizon: number
  /** Coverage of the intervals in percent, ascending and distinct; may be empty. */
  readonly levels: readonly number[]
  readonly timestamps: boolean
  /** Load the version when it is stored and not loaded. */
  readonly load: boolean
  /** The same for the same answer. */
  readonly key: string
}

const known: ReadonlySet<string> = new Set(['level', 'timestamps', 'load'])

/** Reads horizon and query. Throws a 400 that names the parameter at fault. */
export function readQuestion(horizonText: string, query: Readonly<Record<string, unknown>>) {
  const horizon = Number(horizonText)
  if (!/^\d{1,6}$/.test(horizonText) || horizon < 1 || horizon > limits.horizonMax)
    throw fault('horizon', `a whole number from 1 to ${limits.horizonMax}`)
  const stranger = Object.keys(query).find((name) => !known.has(name))
  if (stranger !== undefined)
    throw new Refused(400, 'invalid', `There is no parameter ${stranger.slice(0, 100)} here.`, {
      field: stranger,
      remedy: 'There are level, timestamps and load.',
    })
  const levels = readLevels(query.level)
  const timestamps = readFlag('timestamps', query.timestamps)
  const load = readFlag('load', query.load)
  const key = `${horizon}|${levels.join(',')}|${timestamps}`
  return { horizon, levels, timestamps, load, key } satisfies Question
}

function readLevels(given: unknown): readonly number[] {
  if (given === undefined) return []
  const texts = typeof given === 'string' ? given.split(',') : []
  const levels = texts.map((text) => (/^\d{1,2}(\.\d{1,4})?$/.test(text) ? Number(text) : 0))
  const ascending = levels.every((level, i) => level > (levels[i - 1] ?? 0))
  if (levels.length === 0 || levels.length > limits.levelsMax || !ascending)
    throw fault('level', `1 to ${limits.levelsMax} ascending numbers between 0 and 100`)
  return levels
}

function readFlag(name: string, given: unknown): boolean {
  if (given === undefined || given === 'false') return false
  if (given === 'true') return true
  throw fault(name, 'true or false')
}

function fault(field: string, wanted: string): Refused {
  return new Refused(400, 'invalid', `${field} must be ${wanted}.`, { field })
}
