import { type Directive, timeFormatOf } from '../recipe/time-format.ts'

/** The formats that all of some texts are in, the likeliest first. */
export function timeFormatsOf(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) return []
  return formats.filter((format) => texts.every((text) => isTime(text.trim(), format)))
}

const dates = ['%d.%m.%Y', '%d/%m/%Y', '%m/%d/%Y', '%d-%m-%Y', '%Y/%m/%d', '%Y%m%d', '%d.%m.%y']
const formats = [
  'iso',
  ...dates,
  ...dates.flatMap((date) => [`${date} %H:%M`, `${date} %H:%M:%S`]),
  '%m/%Y',
  '%m.%Y',
  '%d %b %Y',
  '%b %Y',
]

/** As the SQL of a recipe has it, but for the days that a month does not have. */
function isTime(text: string, format: string): boolean {
  if (format === 'iso') return iso.test(text) && !Number.isNaN(Date.parse(text.replace(' ', 'T')))
  const parsed = timeFormatOf(format)
  if (parsed.kind !== 'parts') return false
  const pattern = parsed.parts.map((part) =>
    part.kind === 'text' ? part.text.replace('.', '\\.') : patterns[part.letter],
  )
  return new RegExp(`^${pattern.join('')}$`).test(text)
}

const iso = /^\d{4}-\d\d(-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?)?$/

const patterns: Readonly<Record<Directive, string>> = {
  Y: '(19|20)\\d\\d',
  y: '\\d\\d',
  m: '(0?[1-9]|1[0-2])',
  b: '[A-Z][a-z]{2}',
  B: '[A-Z][a-z]+',
  d: '(0?[1-9]|[12]\\d|3[01])',
  H: '([01]?\\d|2[0-3])',
  I: '(0?[1-9]|1[0-2])',
  p: '[AP]M',
  M: '[0-5]\\d',
  S: '[0-5]\\d',
  z: '[+-]\\d\\d:?\\d\\d',
}
