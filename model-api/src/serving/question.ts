import { limits, Refused, seriesKeyCharactersMax } from '@almanac/shared'

/** What a forecast is asked for, checked. */
export type Question = {
  readonly horizon: number
  /** Coverage of the intervals in percent, ascending and distinct; may be empty. */
  readonly levels: readonly number[]
  readonly timestamps: boolean
  /** Load the version when it is stored and not loaded. */
  readonly load: boolean
  /** The key of one of many series; null where the version is of one. */
  readonly series: string | null
  /** The same for the same answer of a model. */
  readonly key: string
}

/** What is asked of one shard, checked. */
export type ShardQuestion = Question &
  ShardSlice & {
    readonly format: (typeof formats)[number]
    /** Whether the answer is to begin with what a whole one begins with; of Arrow only. */
    readonly head: boolean
  }

const formats = ['json', 'csv', 'arrow'] as const

/** Which series of a shard, in the order of their keys. */
export type ShardSlice = {
  readonly prefix: string
  /** Only those that come after this key. */
  readonly after: string | null
  /** At most so many. */
  readonly limit: number
}

const known: ReadonlySet<string> = new Set(['level', 'timestamps', 'load', 'series'])

/** Reads horizon and query. Throws a 400 that names the parameter at fault. */
export function readQuestion(horizonText: string, query: Readonly<Record<string, unknown>>) {
  const horizon = Number(horizonText)
  if (!/^\d{1,6}$/.test(horizonText) || horizon < 1 || horizon > limits.horizonMax)
    throw fault('horizon', `a whole number from 1 to ${limits.horizonMax}`)
  const stranger = Object.keys(query).find((name) => !known.has(name))
  if (stranger !== undefined)
    throw new Refused(400, 'invalid', `There is no parameter ${stranger.slice(0, 100)} here.`, {
      field: stranger,
      remedy: 'There are level, timestamps, load and series.',
    })
  const levels = readLevels(query.level)
  const timestamps = readFlag('timestamps', query.timestamps)
  const load = readFlag('load', query.load)
  const series = query.series === undefined ? null : readKey('series', query.series)
  const key = `${horizon}|${levels.join(',')}|${timestamps}`
  return { horizon, levels, timestamps, load, series, key } satisfies Question
}

/** The same for many series of a shard. */
export function readShardQuestion(
  horizonText: string,
  query: Readonly<Record<string, unknown>>,
): ShardQuestion {
  const { prefix, after, limit, format: word = 'json', head: flag, ...rest } = query
  const question = readQuestion(horizonText, rest)
  if (question.series !== null) throw fault('series', 'left out here')
  const format = formats.find((known) => known === word)
  if (format === undefined) throw fault('format', formats.join(' or '))
  const head = readFlag('head', flag)
  return { ...question, ...readSlice({ prefix, after, limit }), format, head }
}

/** Which series of a shard a query asks for. */
export function readSlice(query: Readonly<Record<string, unknown>>): ShardSlice {
  const prefix = query.prefix === undefined ? '' : readKey('prefix', query.prefix)
  const after = query.after === undefined ? null : readKey('after', query.after)
  if (query.limit === undefined) return { prefix, after, limit: Number.POSITIVE_INFINITY }
  if (typeof query.limit !== 'string' || !/^[1-9]\d{0,8}$/.test(query.limit))
    throw fault('limit', 'a whole number from 1')
  return { prefix, after, limit: Number(query.limit) }
}

/** Whether a stored version may be loaded for the answer. */
export function readLoad(query: Readonly<Record<string, unknown>>): boolean {
  return readFlag('load', query.load)
}

function readKey(field: string, given: unknown): string {
  if (typeof given === 'string' && given.length <= seriesKeyCharactersMax) return given
  throw fault(field, `one text of at most ${seriesKeyCharactersMax} characters`)
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
