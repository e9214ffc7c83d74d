import { type Directive, type FormatPart, timeFormatOf } from '../recipe/time-format.ts'

/** The formats that all of some texts are in, the likeliest first. */
export function timeFormatsOf(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) return []
  return forms.filter(({ read }) => texts.every((text) => isKnown(read(text)))).map(nameOf)
}

/** The format that most of some texts are in, and how many of them are in no such format. */
export function closestFormat(texts: readonly string[]) {
  const misfits = (read: Read) => texts.filter((text) => !isKnown(read(text)))
  const counted = forms.map(({ format, read }) => ({ format, misfits: misfits(read) }))
  return counted.reduce((best, one) => (one.misfits.length < best.misfits.length ? one : best))
}

/**
 * What the clock shows in a text of a format, in milliseconds as if it hung in UTC; undefined where
 * the text is none. Days that a month does not have are those of the next one.
 */
export function wallMsOf(text: string, format: string): number | undefined {
  return forms.find((form) => form.format === format)?.read(text)
}

/** Only a name can tell these from other numbers. */
export const isBareNumber = (format: string) => bare.has(format)

type Read = (text: string) => number | undefined
type Form = { readonly format: string; readonly read: Read }
const nameOf = ({ format }: Form) => format
const isKnown = (time: number | undefined) => time !== undefined

const dates = [
  ...['%d.%m.%Y', '%d/%m/%Y', '%m/%d/%Y', '%d-%m-%Y', '%m-%d-%Y', '%Y/%m/%d', '%Y.%m.%d'],
  ...['%Y%m%d', '%d.%m.%y', '%d/%m/%y', '%m/%d/%y', '%d-%b-%Y', '%d-%b-%y', '%d %b %Y'],
  ...['%d %B %Y', '%b %d, %Y', '%B %d, %Y'],
]
const clocks = ['%H:%M', '%H:%M:%S', '%I:%M %p', '%I:%M:%S %p']
const months = ['%m/%Y', '%m.%Y', '%Y/%m', '%b %Y', '%b-%Y', '%B %Y']
const bare = new Set(['%Y%m%d', '%Y', 'epoch-seconds', 'epoch-milliseconds'])

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun'].concat(
  ...['jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
)
const longNames =
  'January|February|March|April|May|June|July|August|September|October|November|December'

const patterns: Readonly<Record<Directive, string>> = {
  Y: '(?:19|20)\\d\\d',
  y: '\\d\\d',
  m: '0?[1-9]|1[0-2]',
  b: '(?i:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)',
  B: `(?i:${longNames})`,
  d: '0?[1-9]|[12]\\d|3[01]',
  H: '[01]?\\d|2[0-3]',
  I: '0?[1-9]|1[0-2]',
  p: '(?i:[AP]M)',
  M: '[0-5]\\d',
  S: '[0-5]\\d',
  z: '[+-]\\d\\d:?\\d\\d',
}

const iso = /^\d{4}-\d\d(-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?(?<offset>Z|[+-]\d\d(:?\d\d)?)?)?)?$/

const forms: readonly Form[] = [
  { format: 'iso', read: readIso },
  ...[...dates, ...dates.flatMap((date) => clocks.map((clock) => `${date} ${clock}`)), ...months]
    .concat('%Y')
    .map((format) => ({ format, read: readerOf(format) })),
  // From 1990 on: what is less is more likely a number of something.
  { format: 'epoch-seconds', read: epochReader(/^(6[3-9]|[7-9]\d|[1-3]\d\d)\d{7}$/, 1_000) },
  { format: 'epoch-milliseconds', read: epochReader(/^(6[3-9]|[7-9]\d|[1-3]\d\d)\d{10}$/, 1) },
]

function readIso(given: string): number | undefined {
  const text = given.trim()
  const found = iso.exec(text)
  if (found === null) return undefined
  const wall = text.slice(0, text.length - (found.groups?.offset?.length ?? 0))
  const withClock = wall.length > 10
  const time = Date.parse(withClock ? `${wall.replace(' ', 'T')}Z` : wall)
  return Number.isNaN(time) ? undefined : time
}

function epochReader(pattern: RegExp, msEach: number): Read {
  return (text) => (pattern.test(text.trim()) ? Number(text) * msEach : undefined)
}

/** As the SQL of a recipe has it. */
function readerOf(format: string): Read {
  const parsed = timeFormatOf(format)
  const parts: readonly FormatPart[] = parsed.kind === 'parts' ? parsed.parts : []
  const written = parts.map((part) =>
    part.kind === 'text' ? part.text.replaceAll('.', '\\.') : `(${patterns[part.letter]})`,
  )
  const pattern = new RegExp(`^${written.join('')}$`)
  const letters = parts.flatMap((part) => (part.kind === 'directive' ? [part.letter] : []))
  return (text) => {
    const found = pattern.exec(text.trim())
    if (found === null) return undefined
    return timeOf(new Map(letters.map((letter, i) => [letter, found[i + 1]!])))
  }
}

function timeOf(said: ReadonlyMap<Directive, string>): number {
  const number = (letter: Directive) => Number(said.get(letter) ?? 0)
  const short = said.get('y')
  const year =
    short === undefined ? number('Y') : Number(short) + (Number(short) < 69 ? 2000 : 1900)
  const name = said.get('b') ?? said.get('B')
  const month = name ? monthNames.indexOf(name.slice(0, 3).toLowerCase()) : (number('m') || 1) - 1
  const noon = said.get('p')?.toLowerCase() === 'pm' ? 12 : 0
  const hour = said.has('I') ? (number('I') % 12) + noon : number('H')
  return Date.UTC(year, month, number('d') || 1, hour, number('M'), number('S'))
}
