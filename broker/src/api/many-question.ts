import { Refused } from '@almanac/shared'
import type { Ask } from '../routing/ask.ts'
import type { ManyAsk } from '../routing/many-forecasts.ts'
import {
  fault,
  queryOf,
  readFlag,
  readHorizon,
  readKey,
  readLevels,
  readModelName,
  readVersion,
  refuseStrangers,
} from './question.ts'

/** Forecasts of many series as asked for, checked. */
export type ManyQuestion = ManyAsk & {
  readonly version: Ask['version']
  readonly format: Format
  /** The first row, where there are rows of text. */
  readonly head: string
}

export type Format = keyof typeof formats

/** In the order in which they are taken when all are as welcome. */
const formats = {
  ndjson: ['application', 'x-ndjson'],
  csv: ['text', 'csv'],
  arrow: ['application', 'vnd.apache.arrow.stream'],
} as const
const allFormats: readonly Format[] = ['ndjson', 'csv', 'arrow']

const known = ['prefix', 'after', 'limit', 'level', 'timestamps', 'version']

/** Throws a 400 that names the parameter at fault, and a 406 where no format is accepted. */
export function readManyQuestion(
  tenant: string,
  model: string,
  horizonText: string,
  query: Readonly<Record<string, unknown>>,
  accept: string | undefined,
): ManyQuestion {
  readModelName(model)
  const horizon = readHorizon(horizonText)
  refuseStrangers(query, known)
  const levels = readLevels(query.level)
  const timestamps = readFlag('timestamps', query.timestamps)
  const format = readFormat(accept)
  const plain = queryOf(levels, timestamps)
  return {
    ...{ tenant, model, horizon, format },
    query: format === 'ndjson' ? plain : [plain, `format=${format}`].filter(Boolean).join('&'),
    firstQuery: format === 'arrow' ? 'head=true' : '',
    version: readVersion(query.version),
    prefix: query.prefix === undefined ? '' : readKey('prefix', query.prefix),
    after: query.after === undefined ? null : readKey('after', query.after),
    limit: readLimit(query.limit),
    head: format === 'csv' ? headOf(levels, timestamps) : '',
  }
}

function headOf(levels: readonly number[], timestamps: boolean): string {
  const names = ['series', 'step', ...(timestamps ? ['timestamp'] : []), 'forecast']
  const bands = levels.flatMap((level) => [`lower_${level}`, `upper_${level}`])
  return `${[...names, ...bands].join(',')}\n`
}

function readLimit(given: unknown): number | null {
  if (given === undefined) return null
  if (typeof given === 'string' && /^[1-9]\d{0,8}$/.test(given)) return Number(given)
  throw fault('limit', 'a whole number of series from 1')
}

/** What the client would rather have. */
function readFormat(accept: string | undefined): Format {
  const rated = allFormats.map((format) => {
    const [type, subtype] = formats[format]
    return { format, quality: qualityOf(accept, type, subtype) }
  })
  const best = rated.reduce((most, one) => (one.quality > most.quality ? one : most))
  if (best.quality > 0) return best.format
  const names = allFormats.map((format) => formats[format].join('/')).join(', ')
  throw new Refused(406, 'not-acceptable', `There are ${names}.`, { field: 'accept' })
}

/** From 0, not at all, to 1: what the most specific range that fits says (RFC 9110, 12.5.1). */
export function qualityOf(accept: string | undefined, type: string, subtype: string): number {
  if (accept === undefined) return 1
  const ranges = new Map<string, number>()
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const q = parameters.find((text) => text.startsWith('q='))
    ranges.set(range, q === undefined ? 1 : Number(q.slice(2)) || 0)
  }
  return ranges.get(`${type}/${subtype}`) ?? ranges.get(`${type}/*`) ?? ranges.get('*/*') ?? 0
}
