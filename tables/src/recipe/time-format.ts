/** How a time is written. */
export type TimeFormat =
  | { readonly kind: 'iso' }
  | { readonly kind: 'epoch'; readonly perSecond: number }
  | { readonly kind: 'parts'; readonly parts: readonly FormatPart[] }

/** A directive of strptime, or text between them. */
export type FormatPart =
  | { readonly kind: 'directive'; readonly letter: Directive }
  | { readonly kind: 'text'; readonly text: string }

/** Those that databases agree about. */
const directives = ['Y', 'y', 'm', 'b', 'B', 'd', 'H', 'I', 'p', 'M', 'S', 'z'] as const
export type Directive = (typeof directives)[number]

/** The format in a recipe's words, which were checked. */
export function timeFormatOf(text: string): TimeFormat {
  if (text === 'iso') return { kind: 'iso' }
  if (text === 'epoch-seconds') return { kind: 'epoch', perSecond: 1 }
  if (text === 'epoch-milliseconds') return { kind: 'epoch', perSecond: 1_000 }
  return { kind: 'parts', parts: partsOf(text) }
}

/** Whether times of the format say how far they are from UTC. */
export function hasOffset(format: TimeFormat): boolean {
  if (format.kind === 'epoch') return true
  return format.kind === 'parts' && letters(format.parts).includes('z')
}

/** What is wrong with the words; undefined when nothing is. */
export function timeFormatFault(
  text: string,
): { readonly detail: string; readonly remedy: string } | undefined {
  const remedy =
    'Give iso, epoch-seconds, epoch-milliseconds, or a format like %d.%m.%Y of ' +
    `${directives.map((letter) => `%${letter}`).join(' ')}.`
  if (!text.includes('%') && timeFormatOf(text).kind === 'parts')
    return { detail: `${JSON.stringify(text)} is no format of times.`, remedy }
  const parts = timeFormatOf(text)
  if (parts.kind !== 'parts') return undefined
  const unknown = text.match(/%([^A-Za-z]|[A-Za-z])|%$/g)?.find((found) => !isDirective(found[1]))
  if (unknown !== undefined) return { detail: `${unknown} is not known.`, remedy }
  // Anything else than these would have to be escaped, in another way in each database.
  const odd = parts.parts.find((part) => part.kind === 'text' && !/^[ ./:,T_-]*$/.test(part.text))
  if (odd?.kind === 'text')
    return { detail: `${JSON.stringify(odd.text)} cannot stand between its parts.`, remedy }
  const has = letters(parts.parts)
  if (!has.includes('Y') && !has.includes('y'))
    return { detail: 'It has no year.', remedy: 'Add %Y, or %y for one of two digits.' }
  return undefined
}

function partsOf(text: string): FormatPart[] {
  return [...text.matchAll(/%([A-Za-z])|([^%]+)/g)].map(([, letter, between]) =>
    between === undefined
      ? { kind: 'directive', letter: letter as Directive }
      : { kind: 'text', text: between },
  )
}

function letters(parts: readonly FormatPart[]): readonly Directive[] {
  return parts.flatMap((part) => (part.kind === 'directive' ? [part.letter] : []))
}

const isDirective = (letter: string | undefined) => directives.some((known) => known === letter)
