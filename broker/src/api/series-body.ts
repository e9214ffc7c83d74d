import { frequencies, instantOf, isFrequency, isTimeZone } from '@almanac/engine'
import { limits, Refused } from '@almanac/shared'

export type BodyFault = {
  readonly kind: 'fault'
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly field?: string
  readonly remedy?: string
}

/** As the client is told. */
export function refusedBody({ status, code, detail, field, remedy }: BodyFault): Refused {
  const more = { ...(field ? { field } : {}), ...(remedy ? { remedy } : {}) }
  return new Refused(status, code, detail, more)
}

/** One series as a body had it. */
export type SeriesBody = {
  readonly key: string | null
  readonly start: string | null
  readonly frequency: string | null
  /** Null: UTC. */
  readonly timezone: string | null
  readonly y: readonly (number | null)[]
  /** Where the numbers stand in the body. */
  readonly field: string
}

/** The object that the bytes of a body are, with no fields but those named. */
export function readObject(
  bytes: Uint8Array,
  fields: readonly string[],
): { readonly kind: 'object'; readonly value: Readonly<Record<string, unknown>> } | BodyFault {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  if (text.trim() === '') return fault('no-body', 'The body is empty.', { remedy: sendData })
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    return notJson(text, error as Error)
  }
  if (!isObject(body))
    return fault('not-an-object', 'The body must be a JSON object.', { remedy: sendData })
  const stranger = Object.keys(body).find((name) => !fields.includes(name))
  if (stranger !== undefined) return unknownField('', stranger, fields)
  return { kind: 'object', value: body }
}

/** Its one series, in `data` or in `series`, which may have the fields named. */
export function readSeries(
  body: Readonly<Record<string, unknown>>,
  fields: readonly string[],
): SeriesBody | BodyFault {
  const { data, series } = body
  if (data !== undefined && series !== undefined)
    return fault('data-and-series', 'The body has both data and series; send one of them.', {
      field: '/series',
    })
  if (series === undefined) {
    const wrong = wrongNumbers(data, '/data') ?? wrongEmpty(data as number[], '/data')
    if (wrong) return wrong
    const y = data as number[]
    return { key: null, start: null, frequency: null, timezone: null, y, field: '/data' }
  }
  if (!Array.isArray(series) || series.length !== 1)
    return fault('series', 'series must be an array of at least one series.', {
      field: '/series',
      remedy: 'Write it like {"series": [{"y": [15.2]}]}; several need a key each.',
    })
  const [one] = series as unknown[]
  if (!isObject(one)) return fault('series', 'A series must be an object.', { field: '/series/0' })
  const read = readDescribed(one, fields, 0, loneKeyCharactersMax)
  return 'kind' in read ? read : (wrongEmpty(read.y, read.field) ?? read)
}

/** Of a series that is alone: as its data set has it. */
const loneKeyCharactersMax = 200

/** A series at some place of `series`; it may be without any number. */
export function readDescribed(
  one: Readonly<Record<string, unknown>>,
  fields: readonly string[],
  place: number,
  keyCharactersMax: number,
): SeriesBody | BodyFault {
  const at = (name: string) => `/series/${place}/${name}`
  const stranger = Object.keys(one).find((name) => !fields.includes(name))
  if (stranger !== undefined) return unknownField(`/series/${place}`, stranger, fields)
  const { key = null, start = null, frequency = null, timezone = null, y } = one
  if (key !== null && (typeof key !== 'string' || key.length > keyCharactersMax))
    return fault('key', `key must be text of at most ${keyCharactersMax} characters.`, {
      field: at('key'),
    })
  if (start !== null && !isTime(start))
    return fault('start', 'start must be a date or time as in ISO 8601.', {
      field: at('start'),
      remedy: 'Write it like 2024-05-01 or 2024-05-01T13:00:00Z.',
    })
  if (frequency !== null && !isFrequency(frequency))
    return fault('frequency', `frequency must be one of ${frequencies.join(', ')}.`, {
      field: at('frequency'),
    })
  if (timezone !== null && !(typeof timezone === 'string' && isTimeZone(timezone)))
    return fault('timezone', 'timezone must be the name of a time zone.', {
      field: at('timezone'),
      remedy: 'Write a name of the IANA data base, like Europe/Berlin, or UTC.',
    })
  const wrong = wrongNumbers(y, at('y'))
  if (wrong) return wrong
  return {
    key: key as string | null,
    start: start as string | null,
    frequency: frequency as string | null,
    timezone: timezone === 'UTC' ? null : timezone,
    y: y as number[],
    field: at('y'),
  }
}

function wrongNumbers(values: unknown, field: string): BodyFault | undefined {
  const name = field.slice(1)
  if (values === undefined)
    return fault('no-data', `The body has no ${name}.`, { field, remedy: sendData })
  if (!Array.isArray(values))
    return fault('no-data', `${name} must be an array of numbers.`, { field, remedy: sendData })
  const { observationsMax } = limits
  if (values.length > observationsMax)
    return fault(
      'too-many',
      `${name} has ${values.length} numbers, more than ${observationsMax}.`,
      {
        field,
      },
    )
  const isNumber = (value: unknown) =>
    value === null || (typeof value === 'number' && Number.isFinite(value))
  const wrong = values.findIndex((value) => !isNumber(value))
  return wrong < 0 ? undefined : wrongNumber(values[wrong], field, wrong)
}

function wrongEmpty(values: readonly (number | null)[], field: string): BodyFault | undefined {
  if (values.some((value) => value !== null)) return undefined
  const name = field.slice(1)
  const what = values.length === 0 ? 'is empty' : 'has only missing values'
  return fault('no-data', `${name} ${what}.`, { field, remedy: sendData })
}

function wrongNumber(value: unknown, field: string, index: number): BodyFault {
  const what = typeof value === 'number' ? 'too large for a number' : describe(value)
  return fault('not-a-number', `${field}/${index} is ${what}; only numbers and null can be here.`, {
    field: `${field}/${index}`,
    remedy: 'Write numbers without quotes, and null for a missing observation.',
  })
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 40))}`
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** What people most often send instead of JSON is NaN: they are told, and where. */
function notJson(text: string, error: Error): BodyFault {
  const word = /(?:^|[[,:\s-])(NaN|nan|Infinity|inf|None|undefined)(?=[\],}\s])/.exec(text)
  if (word === null)
    return fault('not-json', `The body is not JSON: ${error.message.slice(0, 200)}`, {
      remedy: 'Check quotes, commas and brackets.',
    })
  const at = word.index
  const open = text.lastIndexOf('[', at)
  const index = text.slice(open + 1, at + 1).split(',').length - 1
  const name = /"(data|y)"\s*:\s*$/.exec(text.slice(0, open))?.[1]
  const place = text.slice(0, open).split(/"y"\s*:/).length - 2
  const field =
    name === undefined ? undefined : `/${name === 'y' ? `series/${place}/y` : name}/${index}`
  const detail = `The body is not JSON: ${word[1]} is not a value of JSON.`
  const remedy = 'Write null for a missing observation.'
  return fault('not-json', detail, field === undefined ? { remedy } : { field, remedy })
}

function unknownField(under: string, name: string, known: readonly string[]): BodyFault {
  const short = name.slice(0, 100)
  return fault('unknown-field', `There is no field ${JSON.stringify(short)} here.`, {
    field: `${under}/${short}`,
    remedy: `The fields are ${known.join(', ')}.`,
  })
}

function isTime(value: unknown): value is string {
  const shape = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/
  return typeof value === 'string' && shape.test(value) && !Number.isNaN(instantOf(value))
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function fault(
  code: string,
  detail: string,
  more: { readonly field?: string; readonly remedy?: string },
  status = 400,
): BodyFault {
  return { kind: 'fault', status, code, detail, ...more }
}

const sendData = 'Send {"data": [numbers]}; null stands for a missing observation.'
