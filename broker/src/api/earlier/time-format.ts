/** Of Java, as the format was written for Spark, and of strptime. */
const tokens: Readonly<Record<string, string>> = {
  yyyy: '%Y',
  yy: '%y',
  MMMM: '%B',
  MMM: '%b',
  MM: '%m',
  M: '%m',
  dd: '%d',
  d: '%d',
  HH: '%H',
  H: '%H',
  hh: '%I',
  h: '%I',
  mm: '%M',
  ss: '%S',
  a: '%p',
}

/** `dd/MM/yyyy` as `%d/%m/%Y`; what has a percent is the latter already, or a word such as `iso`. */
export function timeFormatOf(given: string): string {
  if (given.includes('%') || !/[yMdHhmsa]{1,4}\W/.test(`${given} `) || /^(iso|epoch)/.test(given))
    return given
  return given.replace(/'([^']*)'|y{2,4}|M{1,4}|d{1,2}|H{1,2}|h{1,2}|mm|ss|a/g, (token, quoted) =>
    typeof quoted === 'string' ? quoted : (tokens[token] ?? token),
  )
}
