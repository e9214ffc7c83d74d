import type { Directive, FormatPart } from '../recipe/time-format.ts'

/**
 * Texts that are written in a format, as a pattern with a group for each directive. It is asked
 * before a database reads them: each of those takes more, and each something else.
 */
export function formPattern(parts: readonly FormatPart[]): string {
  const pattern = parts.map((part, i) => {
    if (part.kind === 'text')
      return [...part.text].map((character) => between[character] ?? character).join('')
    // One digit or two, but only where something else ends the number.
    const isNext = parts[i + 1]?.kind === 'directive' || parts[i - 1]?.kind === 'directive'
    return `(${written[part.letter] ?? (isNext ? '[0-9]{2}' : '[0-9]{1,2}')})`
  })
  return `^${pattern.join('')}$`
}

const between: Readonly<Record<string, string>> = { '.': '[.]', ' ': ' +' }

const months =
  'January|February|March|April|May|June|July|August|September|October|November|December'

/** What is not one digit or two. */
const written: { readonly [letter in Directive]?: string } = {
  Y: '[0-9]{4}',
  y: '[0-9]{2}',
  b: '(?i:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)',
  B: `(?i:${months})`,
  p: '(?i:[AP]M)',
  z: '[+-][0-9]{2}(?::?[0-9]{2})?',
}
